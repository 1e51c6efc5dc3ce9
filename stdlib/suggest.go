package stdlib

import "reqon/vm/near"

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
	"csv": "parseCSV", "fromcsv": "parseCSV", "csvparse": "parseCSV", "readcsv": "parseCSV", "xml": "parseXML", "fromxml": "parseXML", "xmlparse": "parseXML",
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
	folded := near.Bare(name)
	if real, ok := otherNames[folded]; ok {
		return real
	}
	table := library().funcs
	names := make([]string, len(table))
	for i := range table {
		if names[i] = table[i].Name; near.Bare(names[i]) == folded {
			return names[i]
		}
	}
	return near.Nearest(folded, names)
}
