package stdlib

import "strings"

// otherNames are what other languages call a function, in lower case. What
// differs in case only, as toJson, is found without.
var otherNames = map[string]string{
	"upper": "uppercase", "toupper": "uppercase", "touppercase": "uppercase", "upcase": "uppercase", "ucase": "uppercase",
	"lower": "lowercase", "tolower": "lowercase", "tolowercase": "lowercase", "downcase": "lowercase", "lcase": "lowercase",
	"len": "length", "size": "length", "strlen": "length", "cardinality": "length",
	"strip": "trim", "ltrim": "trimStart", "lstrip": "trimStart", "trimleft": "trimStart",
	"rtrim": "trimEnd", "rstrip": "trimEnd", "trimright": "trimEnd",
	"substr": "substring", "mid": "substring", "sub": "replace", "gsub": "replaceAll",
	"explode": "split", "implode": "join", "glue": "join",
	"push": "concat", "append": "concat", "extend": "concat", "union": "concat", "strcat": "concat",
	"hasprefix": "startsWith", "hassuffix": "endsWith", "leftpad": "padStart", "lpad": "padStart", "rpad": "padEnd",
	"slug": "slugify", "sprintf": "format", "printf": "format", "interpolate": "format",
	"match": "matches", "test": "matches", "regex": "matches", "regexp": "matches", "extract": "capture",
	"btoa": "base64", "base64encode": "base64", "encodebase64": "base64", "tobase64": "base64",
	"atob": "unbase64", "base64decode": "unbase64", "decodebase64": "unbase64", "frombase64": "unbase64",
	"encodeuricomponent": "urlEncode", "encodeuri": "urlEncode", "escape": "urlEncode", "urlescape": "urlEncode",
	"decodeuricomponent": "urlDecode", "decodeuri": "urlDecode", "unescape": "urlDecode",
	"guid": "uuid", "newid": "uuid",
	"head": "first", "has": "includes", "include": "includes", "indexof": "findIndex",
	"empty": "isEmpty", "isnull": "isEmpty", "blank": "isEmpty",
	"select": "map", "collect": "map", "foreach": "map", "pluck": "map", "where": "filter", "fold": "reduce",
	"distinct": "unique", "uniq": "unique", "dedupe": "unique", "distinctby": "uniqueBy", "uniqby": "uniqueBy",
	"orderby": "sortBy", "order": "sort", "reversed": "reverse", "splice": "slice", "batch": "chunk", "sequence": "range",
	"some": "any", "every": "all", "detect": "find", "group": "groupBy",
	"indexby": "keyBy", "average": "avg", "mean": "avg", "total": "sum", "least": "min", "greatest": "max",
	"items": "entries", "topairs": "entries", "frompairs": "fromEntries", "haskeys": "hasKey", "containskey": "hasKey",
	"hasownproperty": "hasKey", "assign": "merge", "except": "omit", "without": "omit", "only": "pick",
	"ceiling": "ceil", "trunc": "floor", "truncate": "floor", "power": "pow", "ln": "log", "rand": "random",
	"parseint": "parseNumber", "parsefloat": "parseNumber", "int": "toNumber", "float": "toNumber", "number": "toNumber",
	"tonum": "toNumber", "tointeger": "toNumber", "tofloat": "toNumber", "toint": "toNumber",
	"str": "toString", "string": "toString", "tostr": "toString", "totext": "toString", "text": "toString",
	"bool": "toBoolean", "boolean": "toBoolean", "tobool": "toBoolean", "array": "toArray", "list": "toArray", "tolist": "toArray",
	"jsonparse": "parseJSON", "fromjson": "parseJSON", "jsondecode": "parseJSON", "stringify": "toJSON",
	"jsonstringify": "toJSON", "jsonencode": "toJSON", "json": "toJSON", "typeof": "typeOf", "type": "typeOf",
	"getenv": "env", "environment": "env", "date": "parseDate", "todate": "parseDate", "parsetime": "parseDate",
	"strptime": "parseDate", "strftime": "formatDate", "formattime": "formatDate", "dateformat": "formatDate",
	"today": "now", "currenttime": "now", "utcnow": "now", "unixtime": "toUnix", "epoch": "toUnix", "fromtimestamp": "fromUnix",
	"weekday": "dayOfWeek", "dow": "dayOfWeek", "datediff": "diffDays", "daysbetween": "diffDays", "hoursbetween": "diffHours",
	"dateadd": "addDays", "subdays": "subtractDays", "truncday": "startOfDay", "before": "isBefore", "after": "isAfter",
	"absolute": "abs", "squareroot": "sqrt", "sha": "sha256", "hash": "sha256", "defined": "exists", "webhook": "webhookUrl",
}

// Suggest returns the function that an author probably meant by a name that is
// none: by what other languages call it, by case, or by a slip of the keyboard.
// It returns "" if nothing is near.
func Suggest(name string) string {
	folded := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	if real, ok := otherNames[folded]; ok {
		return real
	}
	const longest = 32 // no slip makes a name that long
	if len(folded) > longest {
		return ""
	}
	best, least := "", max(1, len(folded)/3)+1
	if len(folded) < 3 {
		least = 1 // two letters are near anything
	}
	for _, f := range library().funcs {
		if d := editDistance(folded, strings.ToLower(f.Name)); d < least {
			best, least = f.Name, d
		}
	}
	return best
}

// editDistance returns how many letters must be added, taken away, changed or
// swapped with their neighbour to get from a to b.
func editDistance(a, b string) int {
	width := len(b) + 1
	rows := make([]int, 3*width)
	before, last, row := rows[:width], rows[width:2*width], rows[2*width:]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			d := last[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			d = min(d, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
