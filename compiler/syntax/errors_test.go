package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// errorCase is a source with mistakes. § marks where each error points, ¶ where
// its note does; they are taken out before the source is read. Each error is
// `code¦message¦suggestion`, of which the last two may be parts.
type errorCase struct {
	within string // steps, mission, file or expr: what the source is
	src    string
	want   []string
}

// errorCases has every kind of mistake. Each source must give exactly these
// errors: none goes unseen, and none sets off others.
func errorCases() []errorCase {
	return []errorCase{
		// The text as such.
		{"steps", "let x = \"a§\xffb\"", []string{CodeInvalidUTF8 + "¦the byte 0xff is not UTF-8¦save the file as UTF-8"}},
		{"steps", "let x = 1 // §\xe9t\nskip", []string{CodeInvalidUTF8 + "¦0xe9¦"}},
		{"file", "§\xff\xfem\x00", []string{CodeInvalidUTF8 + "¦UTF-16¦save the file as UTF-8"}},
		{"steps", "let x = \"a§\x00b\"", []string{CodeNUL + "¦NUL¦remove it"}},
		{"steps", "let x = 1§;\nlet y = 2§;", []string{CodeCharacter + "¦unexpected character `;`¦remove it", CodeCharacter + "¦`;`¦remove it"}},
		{"steps", "§# old comment, with { and \"\nskip", []string{CodeCharacter + "¦`#`¦a comment starts with `//`"}},
		{"steps", "§-- old comment, with { and (\nskip\nlog \"x\" §-- don't\nskip §-- if\nlet y = 1 §-- see (the docs\nlet z = 1 - -2 §--\nclear s", []string{
			CodeCharacter + "¦`--`¦a comment starts with `//`", CodeCharacter + "¦`--`¦", CodeCharacter + "¦`--`¦", CodeCharacter + "¦`--`¦", CodeCharacter + "¦`--`¦"}},
		{"mission", "§-- the orders, all of them\nschema S { a: string §-- the id\n  b: int }\ntimeout: 5m §-- for all\nrun A", []string{
			CodeCharacter + "¦`--`¦`//`", CodeCharacter + "¦`--`¦`//`", CodeCharacter + "¦`--`¦`//`"}},
		{"file", "§-- the orders\nmission M { action A { skip } }", []string{CodeCharacter + "¦`--`¦`//`"}},
		{"steps", "let x = a -- b\nlet y = 1 --2\nlet z = [1, --a, - -b]\nskip", nil},
		{"steps", "let x = a §& b", []string{CodeCharacter + "¦`&`¦write `and`"}},
		{"steps", "let x = §“smart”\nskip", []string{CodeCharacter + "¦`“`¦plain quotes"}},
		{"steps", "let na§ïve = 1", []string{CodeCharacter + "¦`ï`¦letters a-z"}},
		{"steps", "let x =§\u00a01", []string{CodeCharacter + "¦U+00A0¦plain space"}},
		{"steps", "let x = §$y", []string{CodeCharacter + "¦`$`¦no `$`"}},
		{"steps", "let x = a §@ b\nskip", []string{CodeCharacter + "¦`@`¦"}},
		{"steps", "let x = §\"abc\nlet y = §'abc\nskip", []string{CodeStringOpen + "¦not closed on its line¦end it with `\"`", CodeStringOpen + "¦not closed¦end it with `'`"}},
		{"steps", "log §\"abc }\nskip", []string{CodeStringOpen + "¦¦"}},
		{"steps", "let x = §\"\"\"abc\nlet y = 'b\nskip", []string{CodeTemplateOpen + "¦this raw text is not closed¦end it with `\"\"\"`"}},
		{"expr", "\"\"\"a§\x01b§\rc\"\"\"", []string{CodeControl + "¦control character¦write a string in plain quotes, with `\\u0001`", CodeControl + "¦control character¦`\\u000d`"}},
		{"expr", `"""a"""§"b`, []string{CodeStringOpen + "¦¦"}},
		{"expr", `"a§\qb"`, []string{CodeEscape + "¦`\\q` is not an escape¦write `\\\\q`"}},
		{"expr", `"§\u12"`, []string{CodeEscape + "¦four hex digits¦"}},
		{"expr", `"§\ud800"`, []string{CodeEscape + "¦half of a surrogate pair¦both halves"}},
		{"expr", `"§\udc00§\ud800"`, []string{CodeEscape + "¦half¦", CodeEscape + "¦half¦"}},
		{"expr", "\"a§\x01b\"", []string{CodeControl + "¦control character¦write `\\u0001`"}},
		{"expr", "`a§\x01b`", []string{CodeControl + "¦control character¦write `\\u0001`"}},
		{"steps", "let x = §`abc\nlet y = 1", []string{CodeTemplateOpen + "¦this template is not closed¦backquote"}},
		{"steps", "let x = §`abc ¶{y`\nlet y = { a: 1 }", []string{CodeTemplateOpen + "¦this template is not closed¦close its `{`"}},
		{"steps", "get \"/a/§{x\"\nskip", []string{CodeTemplateOpen + "¦this `{` of the path is not closed¦write `{{`"}},
		{"steps", "get \"/a/§{m[\"k\"]}\"\nskip", []string{CodeTemplateOpen + "¦this `{` of the path¦the other quotes, '"}},
		{"steps", "get \"/a/{m[§\\\"k\\\"]}\"\nskip", []string{CodeCharacter + "¦within `{ }` of a path¦the other quotes, '"}},
		{"steps", "skip\n§/* abc // * /", []string{CodeCommentOpen + "¦not closed¦`*/`"}},
		{"steps", "skip\n/* abc */ §*/", []string{CodeStep + "¦expected a step, found `*`¦"}},
		{"expr", "§.5", []string{CodeNumber + "¦can't start with a dot¦write `0.5`"}},
		{"expr", "§1..2", []string{CodeNumber + "¦`1..2` is not a number¦range(1, 3)"}},
		{"expr", "§1.2.3", []string{CodeNumber + "¦`1.2.3` is not a number¦\"1.2.3\""}},
		{"expr", "§1.", []string{CodeNumber + "¦a digit must follow¦write `1` or `1.0`"}},
		{"expr", "§1_", []string{CodeNumber + "¦`_` stands only between¦write `1`"}},
		{"expr", "§1__0", []string{CodeNumber + "¦`_` stands only between¦write `1_0`"}},
		{"expr", "§1_.5", []string{CodeNumber + "¦`_` stands only between¦write `1.5`"}},
		{"expr", "§0123", []string{CodeNumber + "¦can't start with a zero¦write `123`"}},
		{"expr", "§00", []string{CodeNumber + "¦can't start with a zero¦write `0`"}},
		{"expr", "§12abc", []string{CodeNumber + "¦`12abc`¦write `\"12abc\"`"}},
		{"expr", "§5min", []string{CodeNumber + "¦unknown unit¦write `5m`"}},
		{"expr", "§2hours", []string{CodeNumber + "¦unknown unit¦write `2h`"}},
		{"expr", "§10MB", []string{CodeNumber + "¦`10MB`¦write `\"10MB\"`"}},
		{"expr", "§0x10", []string{CodeNumber + "¦`0x10`¦write `16`"}},
		{"expr", "§1e", []string{CodeNumber + "¦no digits¦"}},
		{"expr", "§1e999", []string{CodeNumber + "¦too large¦"}},
		{"expr", "§1_000_ + §.5 * §1..3", []string{CodeNumber + "¦¦write `1_000`", CodeNumber + "¦¦write `0.5`", CodeNumber + "¦¦range(1, 4)"}},
		{"expr", "`a §} b`", []string{CodeTemplateBrace + "¦closes nothing¦write `}}`"}},
		{"steps", "get \"/a§}\"\nskip", []string{CodeTemplateBrace + "¦closes nothing¦write `}}`"}},
		{"expr", "`{a §/* b */}`", []string{CodeTemplateComment + "¦a comment can't stand¦"}},
		{"expr", strings.Repeat("(", 500) + "§(1" + strings.Repeat(")", 501), []string{CodeTooDeep + "¦nested deeper than 500 levels¦"}},

		// Any construct.
		{"steps", "let x = (a + b\n§store x -> y", []string{CodeUnclosed + "¦expected `)`, found `store`¦"}},
		{"steps", "let x = f¶(a §b, c)\nskip", []string{CodeUnclosed + "¦expected `,` or `)`, found `b`¦put a comma"}},
		{"steps", "let x = ¶[1, 2\n§skip", []string{CodeUnclosed + "¦expected `,` or `]`, found `skip`¦"}},
		{"steps", "get \"/x\" ¶{ since: lastSync\n§store response -> x", []string{CodeUnclosed + "¦expected `}`, found `store`¦close the `{` of line 3"}},
		{"steps", "let x = f(1, ¶{ a: 2 §)\nskip", []string{CodeUnclosed + "¦expected `}`, found `)`¦"}},
		{"steps", "get \"/x\" { a: 1, b: ¶[1, 2 §}\nskip", []string{CodeUnclosed + "¦expected `,` or `]`, found `}`¦"}},
		{"file", "mission M {\n  action A {\n    if x ¶{\n      skip\n  }\n  §action B {\n    skip\n  }\n  run A\n}", []string{CodeUnclosed + "¦expected `}`, found `action`¦close the `{` of line 3"}},
		{"file", "mission M {\n  action A {\n    for x in y ¶{\n      skip\n  }\n  run A\n}§", []string{CodeUnclosed + "¦expected `}`, found the end of the file¦line 3"}},
		{"file", "mission M {\n  action A ¶{\n    skip§\n", []string{CodeUnclosed + "¦expected `}`, found the end¦line 2"}},
		{"file", "mission M ¶{\n  run A\n§mission N {\n}", []string{CodeUnclosed + "¦expected `}`, found `mission`¦"}},
		{"file", "mission M {\n  action A {\n    skip\n  }\n  ¶}\n  action B { skip }\n§}\n", []string{CodeUnmatched + "¦this `}` closes nothing¦"}},
		{"steps", "skip §)\nskip §]\nskip", []string{CodeUnmatched + "¦`)` closes nothing¦", CodeUnmatched + "¦`]` closes nothing¦"}},
		{"steps", "get \"/x\" { since: lastSync §a: 1 }\nskip", []string{CodeSeparator + "¦expected `,` or a new line before `a`¦comma"}},
		{"expr", "{ a: 1 §b: 2 }", []string{CodeSeparator + "¦before `b`¦comma"}},
		{"expr", "match x { 1 => 2 §3 => 4 }", []string{CodeSeparator + "¦before¦comma"}},
		{"mission", "schema S { a: string §b: int }", []string{CodeSeparator + "¦before `b`¦comma"}},
		{"steps", "match response { 404 -> skip §_ -> continue }", []string{CodeSeparator + "¦before `_`¦comma"}},
		{"steps", "let §match = 5\nfor §in in xs {}\nskip", []string{CodeReserved + "¦`match` is a reserved word¦", CodeReserved + "¦`in`¦"}},
		{"steps", "match response { 404 §=> skip, _ => continue }", []string{CodeArrow + "¦takes `->`, found `=>`¦write `->`"}},
		{"steps", "match response { 404 §: skip }", []string{CodeArrow + "¦takes `->`, found `:`¦write `->`"}},
		{"steps", "let x = match y { 1 §-> skip, 2 -> log \"x\" { a: 1 } }\nskip", []string{CodeArrow + "¦takes `=>`, found `->`¦"}},
		{"steps", "validate x { §c > 5 }", []string{CodeChoice + "¦found `c`¦write `assume`"}},
		{"expr", "match y { 1 §-> 2, _ => 3 }", []string{CodeArrow + "¦takes `=>`, found `->`¦write `=>`"}},
		{"steps", "store x §=> y\nstore x §to y\nmap x §=> Y {}", []string{CodeArrow + "¦expected `->`, found `=>`¦write `->`", CodeArrow + "¦found `to`¦", CodeArrow + "¦found `=>`¦"}},
		{"expr", "{ a §= 1 }", []string{CodeArrow + "¦expected `:` behind the key¦write `a: …`"}},

		// Expressions.
		{"expr", "a +§", []string{CodeExpression + "¦expected an expression, found the end¦"}},
		{"steps", "let x =\n§store y -> z", []string{CodeExpression + "¦expected an expression, found `store`¦"}},
		{"expr", "§then", []string{CodeExpression + "¦found `then`¦"}},
		{"expr", "a == §== b", []string{CodeExpression + "¦found `==`¦operand is missing"}},
		{"expr", "f(§...x)", []string{CodeExpression + "¦found `...`¦"}},
		{"steps", "get §{ a: 1 }\npost\n§skip", []string{CodeExpression + "¦expected the path¦get \"/path\"", CodeExpression + "¦expected the path¦post \"/path\""}},
		{"steps", "get \"/a/{§}\"\nskip", []string{CodeExpression + "¦found `}`¦write `{{`"}},
		{"steps", "log §{ a: 1 }\nif §{ skip }", []string{CodeExpression + "¦expected a message¦", CodeExpression + "¦expected a condition¦"}},
		{"expr", "a < b §< c", []string{CodeChain + "¦comparisons don't chain¦write `a < b and b < c`"}},
		{"expr", "a == b §== c", []string{CodeChain + "¦comparisons don't chain¦write `a == b and b == c`"}},
		{"expr", "a in b §== false", []string{CodeChain + "¦¦write `(a in b) == false`"}},
		{"expr", "a is T §== b", []string{CodeChain + "¦¦write `(a is T) == b`"}},
		{"steps", "let x = a §= b\nif x §= 1 { skip }", []string{CodeAssign + "¦found `=`, expected `==`¦write `==`", CodeAssign + "¦¦write `==`"}},
		{"expr", "a §&& b §|| §!c", []string{CodeOperator + "¦found `&&`, expected `and`¦write `and`", CodeOperator + "¦found `||`¦write `or`", CodeOperator + "¦found `!`¦write `not`"}},
		{"expr", "a §=== b and a §!== c and a §<> d", []string{CodeOperator + "¦¦write `==`", CodeOperator + "¦¦write `!=`", CodeOperator + "¦¦write `!=`"}},
		{"expr", "a §** 2", []string{CodeOperator + "¦`**`¦pow(a, …)"}},
		{"expr", "a §+= 2", []string{CodeOperator + "¦`+=`¦`let`"}},
		{"expr", "a §?. b", []string{CodeOperator + "¦`?.`¦a field of null is null"}},
		{"expr", "x is §not string", []string{CodeOperator + "¦`not` can't stand behind `is`¦write `not (x is string)`"}},
		{"expr", "x not §in xs", []string{CodeOperator + "¦`not` can't stand before `in`¦write `not (x in xs)`"}},
		{"expr", "1 + §if a then b else c", []string{CodeParens + "¦`if` needs parentheses¦write `(if a then b else c)`"}},
		{"expr", "a == §not b", []string{CodeParens + "¦`not` needs parentheses¦write `(not b)`"}},
		{"steps", "let f = x §=> y\nskip", []string{CodeLambda + "¦a lambda stands only as an argument¦"}},
		{"expr", "§(a, b) => a", []string{CodeLambda + "¦a lambda stands only as an argument¦"}},
		{"expr", "{ f: x §=> y }", []string{CodeLambda + "¦only as an argument¦"}},
		{"expr", "(a)§(b)", []string{CodeCall + "¦only a function's name¦"}},
		{"expr", "a[0]§(b)", []string{CodeCall + "¦only a function's name¦"}},
		{"expr", "a | §first", []string{CodePipe + "¦expected a call behind `|`¦write `first()`"}},
		{"expr", "a | f() §+ 1", []string{CodePipe + "¦`+` binds tighter than `|`¦write `(a | f())"}},
		{"expr", "a | f()§.x", []string{CodePipe + "¦`.` binds tighter than `|`¦write `(a | f())"}},
		{"expr", "x is §\"a\"", []string{CodeIs + "¦expected the name of a type¦write `==`"}},
		{"expr", "x is string §| null", []string{CodeIs + "¦one type¦`x is A or x is B`"}},
		{"expr", "x is string §- 1", []string{CodeIs + "¦can't follow¦write `(x is string) - …`"}},
		{"steps", "let x = §if a then b\nskip", []string{CodeElse + "¦must have an `else`¦add `else null`"}},
		{"expr", "a.§(b)", []string{CodeField + "¦expected a field's name¦"}},
		{"expr", "a.§\"b c\"", []string{CodeField + "¦expected a field's name¦write `[\"b c\"]`"}},
		{"expr", "a§.0.b", []string{CodeField + "¦`.0` is not a field¦write `[0]`"}},
		{"expr", "{ §a, b: 1 }", []string{CodeKey + "¦the key `a` has no value¦write `a: …`"}},
		{"expr", "{ §5: 1 }", []string{CodeKey + "¦expected a key¦\"5\""}},
		{"expr", "{ §[a]: 1, b: 2 }", []string{CodeKey + "¦expected a key¦fromEntries"}},
		{"expr", "{ a §1, b: 2 }", []string{CodeKey + "¦expected `:` behind the key `a`¦write `a: …`"}},
		{"expr", "f(§x: 1)", []string{CodeKey + "¦arguments have no names¦leave out `x:`"}},
		{"steps", "get \"/x\" {\n  retry §{ maxAttempts: 3 }\n  timeout: 5s\n}\nskip", []string{CodeKey + "¦behind the key `retry`¦write `retry: …`"}},
		{"steps", "get \"/x\" { headers: { Content§-Type: \"a\", Accept: \"b\" } }\nskip", []string{CodeKey + "¦behind the key `Content`¦write the key in quotes: `\"Content-Type\": …`"}},
		{"mission", "source A { base: http§://x.y/z }\nrun A", []string{CodeSeparator + "¦found `:`¦write the address in quotes"}},
		{"mission", "timeout: 30 §minutes\nrun A", []string{CodeDeclaration + "¦found `minutes`¦write `30m`"}},
		{"steps", "get \"/x\" { timeout: 30 §seconds, retry: {} }\nskip", []string{CodeSeparator + "¦found `seconds`¦write `30s`"}},
		{"mission", "source A { base: \"x\"§; auth §= none§; timeout: 5s }\nrun A", []string{CodeCharacter + "¦`;`¦take `,`", CodeArrow + "¦¦write `auth: …`", CodeCharacter + "¦`;`¦take `,`"}},
		{"steps", "store x -> y { §upsert }\nskip", []string{CodeKey + "¦the key `upsert` has no value¦"}},

		// Patterns and types.
		{"steps", "match r { 404§, 410 -> skip, _ -> continue }", []string{CodePattern + "¦expected `->` behind the pattern¦an arm for each"}},
		{"steps", "match r { 404 §| 410 -> skip, _ -> continue }", []string{CodePattern + "¦expected `->`¦an arm for each"}},
		{"steps", "match r { §> 400 -> skip, _ -> continue }", []string{CodePattern + "¦expected a pattern¦n where n >"}},
		{"steps", "match r { §.a == 1 -> skip, _ -> continue }", []string{CodePattern + "¦expected a pattern¦_ where .a"}},
		{"steps", "match r { §4xx -> skip }", []string{CodeNumber + "¦`4xx` is not a pattern¦400"}},
		{"steps", "match r { §else -> skip }", []string{CodePattern + "¦found `else`¦write `_`"}},
		{"steps", "match r { [...a, §b] -> skip }", []string{CodePattern + "¦behind the rest¦before the last name"}},
		{"steps", "match r { { §Order } -> skip }", []string{CodePattern + "¦lower-case¦write `Order: name`"}},
		{"steps", "match r { { a: 1, §...rest } -> skip }", []string{CodePattern + "¦found `...`¦leave it out"}},
		{"mission", "schema S { a: §* }", []string{CodeType + "¦expected a type¦"}},
		{"mission", "schema S { a: string§[], b: int }", []string{CodeType + "¦end of the type¦write `[string]`"}},
		{"mission", "schema S { a: map§<string>, b: int }", []string{CodeType + "¦only `array`¦"}},
		{"mission", "schema S { a: array¶<string§, b: int }", []string{CodeUnclosed + "¦expected `>`¦"}},
		{"mission", "schema S { a§?: string, b: int§? | string, c: array<int§?> }", []string{CodeOptional + "¦¦write `a: T?`", CodeOptional + "¦¦write `| null`", CodeOptional + "¦¦write `| null`"}},
		{"mission", "schema S { a: number§??, b: [string§??], c: string§?? | null\nd: { e: int§?? }\nf: string }\nparam p: string§?? = null", []string{
			CodeOptional + "¦a second `?`¦write `number?`", CodeOptional + "¦`??` stands only¦write `| null`", CodeOptional + "¦whole type¦write `| null`",
			CodeOptional + "¦a second `?`¦write `int?`", CodeOptional + "¦`??` stands only¦= null"}},
		{"mission", "param p: string§? = null", []string{CodeOptional + "¦¦= null"}},

		// Steps.
		{"steps", "§stor x -> y\n§GET \"/x\"\n§fetch \"/x\"\n§x = 5\n§zzzzzz\nskip", []string{
			CodeStep + "¦expected a step, found `stor`¦did you mean `store`?", CodeStep + "¦`GET`¦`get`", CodeStep + "¦`fetch`¦`get`",
			CodeStep + "¦`x`¦write `let x = …`", CodeStep + "¦`zzzzzz`¦"}},
		{"steps", "store x -> my§-orders-2 { key: .id }\nlet a§-b = 1\nskip", []string{CodeUnexpected + "¦a name can't hold `-`¦write `my_orders_2`", CodeUnexpected + "¦¦write `a_b`"}},
		{"steps", "let r = §get \"/x\" { timeout: 5s }\nlet q = §await get \"/x\"\nlet g = get(a, \"x\")\nskip", []string{CodeStep + "¦a request is a step of its own¦`get …`, and behind it `let r = response`", CodeStep + "¦¦and behind it `let q = response`"}},
		{"steps", "clear s§[\"a\"]\nskip", []string{CodeStep + "¦`clear` empties the whole store¦write `delete s[…]`"}},
		{"steps", "§assume a\nskip §5\nskip", []string{CodeStep + "¦`assume` stands only within `validate`¦", CodeStep + "¦found the number `5`¦"}},
		{"steps", "match §{ a: { b: 1 } } { { a: x } -> skip, _ -> continue }\nskip", []string{CodeUnexpected + "¦found an object¦`match ({ … }) { … }`"}},
		{"expr", "match §{ a: 1 } { { a: x } => x, _ => 0 }", []string{CodeUnexpected + "¦found an object¦in parentheses"}},
		{"steps", "let x = 1\n§x += 1\nskip", []string{CodeStep + "¦found `x`¦bound once"}},
		{"steps", "let x = 1\n§x++\nskip", []string{CodeStep + "¦found `x`¦bound once"}},
		{"steps", "store response §out\nskip", []string{CodeUnexpected + "¦expected `->` and the name of a store, found `out`¦write `-> out`"}},
		{"steps", "map response §Row { id: .id }\nskip", []string{CodeUnexpected + "¦found `Row`¦write `-> Row`"}},
		{"steps", "if a §log \"x\"\nskip", []string{CodeUnexpected + "¦expected `{`, found `log`¦in braces"}},
		{"steps", "for x in xs concurrency§: 5 { skip }", []string{CodeUnexpected + "¦found `:`¦`concurrency N`"}},
		{"steps", "for x in xs onError§: skip { skip }", []string{CodeUnexpected + "¦found `:`¦`onError POLICY`"}},
		{"steps", "§try { skip }\nskip", []string{CodeStep + "¦found `try`¦`onError`"}},
		{"steps", "§function f(x) { skip }\nskip", []string{CodeStep + "¦found `function`¦`transform`"}},
		{"steps", "if a { skip } §elif b { skip } §elseif c { skip } else { skip }", []string{CodeElseIf + "¦expected `else if`, found `elif`¦write `else if`", CodeElseIf + "¦¦write `else if`"}},
		{"steps", "§else { skip }\nskip", []string{CodeElseIf + "¦without an `if`¦"}},
		{"steps", "for x in xs onError §contine {}\nlog §wran \"x\"\njump A then §skip", []string{CodeChoice + "¦expected a policy¦did you mean `continue`?", CodeChoice + "¦expected a level¦`warn`", CodeChoice + "¦expected¦"}},
		{"steps", "validate x { assume a, §assert b, warn d §\"x\" }\nskip", []string{CodeChoice + "¦expected `assume` or `warn`¦`assume`", CodeUnexpected + "¦expected `:` and the message¦"}},
		{"steps", "for x in xs where a concurrency 2 §where b {}", []string{CodeTwice + "¦one `where`¦"}},
		{"steps", "for x §of xs {}\nfor §(x in xs) {}\nfor x in xs §parallel 5 {}", []string{CodeUnexpected + "¦expected `in`, found `of`¦write `in`", CodeUnexpected + "¦found `(`¦without parentheses", CodeUnexpected + "¦found `parallel`¦`concurrency`"}},
		{"steps", "if a §then b else c\nif a §then { skip }\nif a§: skip", []string{CodeUnexpected + "¦found `then`¦`if c { … }", CodeUnexpected + "¦found `then`¦remove", CodeUnexpected + "¦found `:`¦braces"}},
		{"steps", "let x§: int = 5\nlet y §== 5\nlet z§.a = 5", []string{CodeUnexpected + "¦expected `=`, found `:`¦", CodeUnexpected + "¦found `==`¦write `=`", CodeUnexpected + "¦found `.`¦"}},
		{"steps", "wait\n§pause §5m\nretry §5\nqueue\n§skip", []string{
			CodeUnexpected + "¦expected `{` and options, found `pause`¦wait {", CodeUnexpected + "¦found the number `5m`¦pause { duration",
			CodeUnexpected + "¦found the number `5`¦retry { maxAttempts: 5 }", CodeUnexpected + "¦expected the store to queue in¦"}},
		{"steps", "run A §then B\nrun §[A, B]\ncall API\n§skip", []string{CodeUnexpected + "¦found `then`¦a step of its own", CodeUnexpected + "¦found `[`¦", CodeUnexpected + "¦expected `.` and an operation¦"}},
		{"steps", "apply T §with response\napply T §on x as y\napply T§(x) as y\napply T §-> x\nskip", []string{
			CodeUnexpected + "¦expected `to`, found `with`¦write `apply T to …`", CodeUnexpected + "¦found `on`¦", CodeUnexpected + "¦found `(`¦apply T to", CodeUnexpected + "¦found `->`¦"}},
		{"steps", "get API§.\"/x\" { timeout: 5s }\npost API§, `/x`\ndelete API§: \"/x/{id}\"\nskip", []string{
			CodeUnexpected + "¦expected the path behind the source, found `.`¦write `get API \"/path\"`", CodeUnexpected + "¦found `,`¦write `post API",
			CodeUnexpected + "¦found `:`¦write `delete API"}},
		{"steps", "store x -> §\"y\"\napply T §x\nmap x §{}\nskip", []string{CodeUnexpected + "¦the name of a store¦without quotes", CodeUnexpected + "¦expected `to`¦", CodeUnexpected + "¦expected `->`¦"}},
		{"steps", "store x§: file(\"x\")\nskip", []string{CodeMisplaced + "¦found `:`¦declared in the mission"}},

		// Habits of other languages.
		{"steps", "§SELECT id\n§update rows set x\n§pass\nlet x = r §WHERE .a\nlet y = r §LIKE \"a\"\nlet z = r §BETWEEN 1\nlet v = r §as string\nlet f = f§\"a\"\nlet g = \"b\"§\"a\"", []string{
			CodeStep + "¦¦read a store by its name", CodeStep + "¦¦upsert: true", CodeStep + "¦¦leave it out", CodeStep + "¦¦write `where`: the case", CodeStep + "¦¦`contains`",
			CodeStep + "¦¦two comparisons", CodeStep + "¦¦`toString(…)`", CodeStep + "¦¦backquotes", CodeStep + "¦¦one pair of quotes"}},
		{"steps", "get \"/a\" §-> x\nget \"/a\" §as x\nget \"/a\", §{ a: 1 }\nget \"/a\" §with { a: 1 }\npost \"/a\" §body { a: 1 }\nskip", []string{
			CodeStep + "¦¦let x = response", CodeStep + "¦¦let x = response", CodeStep + "¦¦without a comma", CodeStep + "¦¦stand in braces", CodeStep + "¦¦stand in braces"}},
		{"steps", "store r -> s §key id\nstore r -> s §on id\nstore r §in s\nlog \"x\", §r.id\nretry§(3)\nrun B§()\n§Sync(x)\n§r.id\n§r | f(x)\n§r[\"a\"] == 5\nlet y = apply §T to x\nskip", []string{
			CodeStep + "¦¦`{ key: .id }`", CodeStep + "¦¦`{ key: .id }`", CodeUnexpected + "¦found `in`¦write `->`", CodeStep + "¦¦stand in braces", CodeStep + "¦¦retry { maxAttempts", CodeStep + "¦¦write `run B`",
			CodeStep + "¦¦write `run Sync`", CodeStep + "¦¦a value alone does nothing", CodeStep + "¦¦a value alone does nothing", CodeStep + "¦¦write `store … -> r",
			CodeStep + "¦¦write `apply T to … as x`"}},
		{"steps", "for x in xs§:\n  log x\nfor x§, i in xs { skip }\nfor §(let i = 0; i < 5; i++) { skip }\nlet §{ a, b } = x\nlet §[a, b] = x\nmatch r { case §\"a\": skip }\nskip", []string{
			CodeUnexpected + "¦found `:`¦in braces", CodeUnexpected + "¦found `,`¦range(length(xs))", CodeUnexpected + "¦¦range(10)", CodeUnexpected + "¦¦bind each", CodeUnexpected + "¦¦bind each", CodeUnexpected + "¦¦without `case`"}},
		{"steps", "let a = SELECT §id\nlet b = r §IS NULL\nget §/b\nlet c = r matches §/x/\nlet d = r[§*].id\ndelete §from s where id = 1\nskip", []string{
			CodeStep + "¦¦read a store by its name", CodeStep + "¦¦write `is`", CodeExpression + "¦¦path in quotes", CodeExpression + "¦¦regular expression in quotes", CodeExpression + "¦¦leave it out",
			CodeStep + "¦found `from`¦delete s[key]"}},
		{"mission", "§resource \"a\" { }\nrun A", []string{CodeDeclaration + "¦¦did you mean `source`?"}},
		{"steps", "let x = \"a\" if b §else \"c\"\nskip", []string{CodeUnexpected + "¦found `else`¦if c then a else b"}},
		{"steps", "§x := 5\nskip", []string{CodeStep + "¦¦write `let x = …`"}},
		{"expr", "f¶(x §-> x.a)", []string{CodeUnclosed + "¦found `->`¦a lambda is written `x => …`"}},
		{"expr", "f¶(lambda §x: x.a)", []string{CodeUnclosed + "¦¦a lambda is written `x => …`"}},
		{"expr", "¶[x §for x in xs]", []string{CodeUnclosed + "¦¦map(xs, …)"}},
		{"expr", "a ?§: 0", []string{CodeExpression + "¦¦write `??`"}},
		{"expr", "x in ¶(1§, 2)", []string{CodeUnclosed + "¦¦x in [1, 2]"}},
		{"expr", "x¶[0§:3]", []string{CodeUnclosed + "¦¦`slice(xs, from, to)`"}},
		{"expr", "{ §**x }", []string{CodeKey + "¦expected a key¦write `...`"}},
		{"expr", "{ §.id, a: 1 }", []string{CodeKey + "¦expected a key¦write `id: .id`"}},
		{"expr", "a §~ b", []string{CodeCharacter + "¦`~`¦matches"}},
		{"mission", "§var x = 5\n§env X\n§import \"x\"\n§type S { a: string }\n§table T { a: string }\n§def f { skip }\n§job C { skip }\n§db x\n§timeout 30m\n§timeout = 5m\nrun A", []string{
			CodeDeclaration + "¦¦write `param", CodeDeclaration + "¦¦env(\"NAME\")", CodeDeclaration + "¦¦no imports", CodeDeclaration + "¦¦write `schema", CodeDeclaration + "¦¦write `schema",
			CodeDeclaration + "¦¦write `action", CodeDeclaration + "¦¦write `action", CodeDeclaration + "¦¦write `store", CodeDeclaration + "¦¦write `timeout: …`", CodeDeclaration + "¦¦write `timeout: …`"}},
		{"mission", "schema S { a: string §= \"x\" }\nschema T { a: string§! }\nschema U { a: varchar§(10), b: int }\nschema V { a: enum§(\"a\", \"b\") }\nschema W { a: List§<string> }\nschema X §extends S { a: int }\nparam int §x\ntransform Y§(x) { a: 1 }\naction Z §skip", []string{
			CodeType + "¦found `=`¦no defaults", CodeType + "¦found `!`¦required unless", CodeType + "¦¦no size", CodeType + "¦¦`\"a\" | \"b\"`", CodeType + "¦¦write `array<…>`", CodeUnexpected + "¦¦...Base",
			CodeUnexpected + "¦expected `:` and a type¦write `x: int`", CodeUnexpected + "¦¦no parameters", CodeUnexpected + "¦expected `{`¦action Z { … }"}},
		{"mission", "schedule §= every 5 minutes\nrun A", []string{CodeUnexpected + "¦found `=`¦write `:`"}},
		{"mission", "schedule: cron §*/5 * * * *\nrun A", []string{CodeUnexpected + "¦found `*`¦in quotes"}},
		{"file", "§name: sync\n", []string{CodeDeclaration + "¦¦a file begins with `mission Name { … }`"}},
		{"file", "mission M§: { action A { skip } }", []string{CodeUnexpected + "¦found `:`¦remove the `:`"}},
		{"file", "mission M\n  §log \"x\"\n", []string{CodeUnexpected + "¦expected `{`¦write `mission M { … }`"}},

		// Declarations.
		{"mission", "§actoin A { skip }\nrun A", []string{CodeDeclaration + "¦expected a declaration¦did you mean `action`?"}},
		{"file", "§mision M { }\nmission N { }", []string{CodeDeclaration + "¦expected `mission`¦did you mean `mission`?"}},
		{"mission", "store x §= file(\"x\")\nstore§: file(\"x\")\nrun§: A\nparam p §= 5\nsource API §= { }\naction A§(x) { skip }\nrun A§, B", []string{
			CodeUnexpected + "¦expected `:` and the store's adapter¦store x: file(\"x\")", CodeUnexpected + "¦expected a name behind `store`¦",
			CodeUnexpected + "¦found `:`¦write `run` without", CodeUnexpected + "¦expected `:` and a type¦p: string = …",
			CodeUnexpected + "¦expected `{`¦source API { … }", CodeUnexpected + "¦found `(`¦no arguments", CodeUnexpected + "¦expected `then`¦run [A, B]"}},
		{"file", "§get \"/x\"\nsource A { }\n}\nfoo", []string{CodeMisplaced + "¦stands within an action¦"}},
		{"file", "§source A { }\nmission M { }", []string{CodeMisplaced + "¦stands within a mission¦mission Name"}},
		{"file", "mission M {\n  action A {\n    skip\n    ¶}\n    §store a -> b\n    get \"/x\"\n  }\n  action B { skip }\n  run A\n}", []string{CodeMisplaced + "¦is a step¦"}},
		{"mission", "¶run A\n§run B", []string{CodeDuplicate + "¦a mission has one `run`¦run A then B"}},
		{"mission", "¶schedule: every 5 minutes\n§schedule: cron \"@hourly\"", []string{CodeDuplicate + "¦one schedule¦keep one"}},
		{"mission", "schedule: every §15m", []string{CodeSchedule + "¦the duration `15m`¦write `every 15 minutes`"}},
		{"mission", "schedule: every §1h\nrun A", []string{CodeSchedule + "¦¦write `every 1 hour`"}},
		{"mission", "schedule: §15m", []string{CodeSchedule + "¦expected `every`¦write `every 15 minutes`"}},
		{"mission", "schedule: every §minute", []string{CodeSchedule + "¦expected a count¦write `every 1 minute`"}},
		{"mission", "schedule: every 5 §min", []string{CodeSchedule + "¦expected a unit¦write `every 5 minutes`"}},
		{"mission", "schedule: every 5 §mintues", []string{CodeSchedule + "¦expected a unit¦did you mean `minutes`?"}},
		{"mission", "schedule: every 2 §months", []string{CodeSchedule + "¦expected a unit¦cron"}},
		{"mission", "schedule: every §0 minutes", []string{CodeSchedule + "¦from 1 on¦"}},
		{"mission", "schedule: every §1.5 hours", []string{CodeSchedule + "¦whole number¦"}},
		{"mission", "schedule: every §99999999999999999999 hours", []string{CodeSchedule + "¦whole number¦"}},
		{"mission", "schedule: §\"0 9 * * *\"", []string{CodeSchedule + "¦found the string¦write `cron \"0 9 * * *\"`"}},
		{"mission", "schedule: §\"every 15 minutes\"", []string{CodeSchedule + "¦found the string¦write `every 15 minutes` without quotes"}},
		{"mission", "schedule: §daily", []string{CodeSchedule + "¦¦write `every 1 day`"}},
		{"mission", "schedule §every 5 minutes", []string{CodeUnexpected + "¦expected `:` behind `schedule`¦"}},
		{"mission", "transform X §=> Y { a: 1 }", []string{CodeArrow + "¦expected `->`¦write `->`"}},
		{"mission", "schema S§: { a: string }", []string{CodeUnexpected + "¦expected `{`¦remove"}},
		{"mission", "transform X { (A) -> B {}, §B -> C {} }", []string{CodePattern + "¦expected a variant¦"}},

		// Several mistakes, each reported once.
		{"file", "mission M {\n  source A { base: §}\n  store s §= memory\n  action X {\n    get \"/x\" { a: §}\n    let §= 5\n    store x -> y\n  }\n  run X\n}\n",
			[]string{CodeExpression + "¦found `}`¦", CodeUnexpected + "¦expected `:` and the store's adapter¦", CodeExpression + "¦found `}`¦", CodeUnexpected + "¦expected a variable's name¦"}},
	}
}

// source returns the case's text without marks, wrapped, and where the marks
// were.
func (c errorCase) source() (src string, errs, notes []int) {
	before, after := "", ""
	switch c.within {
	case "steps":
		before, after = "mission M {\n  action A {\n", "\n  }\n}\n"
	case "mission":
		before, after = "mission M {\n", "\n}\n"
	}
	var b strings.Builder
	b.WriteString(before)
	for i := 0; i < len(c.src); {
		switch {
		case strings.HasPrefix(c.src[i:], "§"):
			errs = append(errs, b.Len())
			i += len("§")
		case strings.HasPrefix(c.src[i:], "¶"):
			notes = append(notes, b.Len())
			i += len("¶")
		default:
			b.WriteByte(c.src[i])
			i++
		}
	}
	b.WriteString(after)
	return b.String(), errs, notes
}

func TestErrors(t *testing.T) {
	seen := map[string]bool{CodeTooLarge: true, CodeTooMany: true}
	for _, c := range errorCases() {
		src, at, notes := c.source()
		f := NewFile("t.reqon", []byte(src))
		var errs []*Error
		if c.within == "expr" {
			_, errs = ParseExpr(f)
		} else {
			var tree *SourceTree
			tree, errs = Parse(f)
			checkPlaces(t, f, tree, errs)
		}
		var got, want []string
		for i, e := range errs {
			got = append(got, fmt.Sprintf("%d %s¦%s¦%s", e.Start, e.Code, e.Msg, e.Suggestion))
			seen[e.Code] = true
			if i < len(notes) && len(e.Notes) > 0 && int(e.Notes[0].Start) != notes[i] {
				t.Errorf("%q: the note is at %d, want %d", src, e.Notes[0].Start, notes[i])
			}
			if i < len(notes) && len(e.Notes) == 0 {
				t.Errorf("%q: no note", src)
			}
		}
		for i, w := range c.want {
			p := -1
			if i < len(at) {
				p = at[i]
			}
			want = append(want, fmt.Sprintf("%d %s", p, w))
		}
		ok := len(got) == len(want) && len(at) == len(want)
		for i := range got {
			ok = ok && matchesError(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s\n got %s\nwant %s", clipSource(src), strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	for _, code := range allCodes() {
		if !seen[code] {
			t.Errorf("no case has the error %s", code)
		}
	}
}

// allCodes returns the codes that codes.go declares.
func allCodes() []string {
	src, err := os.ReadFile("codes.go")
	if err != nil {
		panic(err)
	}
	return regexp.MustCompile(`RQ01\d\d`).FindAllString(string(src), -1)
}

func TestCodesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range allCodes() {
		if seen[code] {
			t.Errorf("%s stands for two mistakes", code)
		}
		seen[code] = true
	}
}

func TestTooLargeFile(t *testing.T) {
	f := &File{Name: "t", Src: make([]byte, maxFileSize+1), lines: []int32{0}} // never touched, so never in memory
	tree, errs := Parse(f)
	if tree == nil || len(errs) != 1 || errs[0].Code != CodeTooLarge {
		t.Errorf("errors are %v", errs)
	}
}

func TestTooManyErrors(t *testing.T) {
	_, errs := Parse(NewFile("t", []byte("action A {\n"+strings.Repeat("stor x\n", 1000)+"}")))
	if len(errs) != maxErrors || errs[maxErrors-1].Code != CodeTooMany || errs[maxErrors-2].Position().Line != maxErrors {
		t.Errorf("%d errors, the last is %v", len(errs), errs[len(errs)-1])
	}
	_, errs = Parse(NewFile("t", []byte(strings.Repeat("; ", 1000))))
	if len(errs) != maxErrors || errs[maxErrors-1].Code != CodeTooMany {
		t.Errorf("%d errors, the last is %v", len(errs), errs[len(errs)-1])
	}
}

// Columns count code points, and a byte order mark and CRLF do not count.
func TestErrorPositions(t *testing.T) {
	src := "\xef\xbb\xbfmission M {\r\n  action A {\r\n    log \"日本\" { a 1 }\r\n    let é = 1\r\n  }\r\n}\r\n"
	_, errs := Parse(NewFile("m.reqon", []byte(src)))
	want := []string{"m.reqon:3:18", "m.reqon:4:9"}
	if len(errs) != len(want) {
		t.Fatalf("errors are %v", errs)
	}
	for i, e := range errs {
		if !strings.HasPrefix(e.Error(), want[i]+": ") || !strings.HasSuffix(e.Error(), " ["+e.Code+"]") {
			t.Errorf("error is %v, want it at %s", e, want[i])
		}
	}
}

// A tree with errors has whole nodes only: what could not be read is a BadStep
// or BadExpr, or is left out.
func TestTreeOfErrors(t *testing.T) {
	for _, c := range errorCases() {
		src, _, _ := c.source()
		tree, _ := Parse(NewFile("t", []byte(src)))
		Print(tree)
		Walk(tree, func(n Node) bool {
			if id, ok := n.(*Ident); ok && id.Name == "" {
				t.Errorf("%s: a name without text", clipSource(src))
			}
			return true
		})
	}
}

func clipSource(s string) string {
	if len(s) > 300 {
		s = s[:300]
	}
	if !utf8.ValidString(s) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// matchesError compares `at code¦message¦suggestion`, the last two by part.
func matchesError(got, want string) bool {
	g, w := strings.Split(got, "¦"), strings.Split(want, "¦")
	return g[0] == w[0] && strings.Contains(g[1], w[1]) && strings.Contains(g[2], w[2])
}

// A token too many or too few is one mistake, and hardly ever gives more than
// one error: the mistakes are made in all places of all the test missions.
func TestOneMistakeOneError(t *testing.T) {
	sources := []string{everything, string(longMission(40))}
	paths, err := filepath.Glob("../../testdata/lang/run/s6*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths[:min(40, len(paths))] {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, missionsIn(string(src))...)
	}
	mistakes, errors := 0, 0
	for _, src := range sources {
		p := newParser(NewFile("t", []byte(src)))
		if _, errs := Parse(p.file); len(errs) > 0 {
			continue
		}
		for _, tok := range p.toks[:len(p.toks)-1] {
			twice := src[:tok.end] + " " + src[tok.start:]
			for _, broken := range []string{src[:tok.start] + src[tok.end:], twice} {
				if _, errs := Parse(NewFile("t", []byte(broken))); len(errs) > 0 {
					mistakes++
					errors += len(errs)
				}
			}
		}
	}
	if mistakes < 1000 || float64(errors) > 1.03*float64(mistakes) {
		t.Errorf("%d mistakes gave %d errors", mistakes, errors)
	}
}
