package diag

import "slices"

// Code is an entry of the table of codes. Codes are stable: one is never given
// to another mistake, and never comes back once it is dropped.
type Code struct {
	Code     string
	Severity Severity
	Stage    Stage
	Title    string // one line: what the mistake is
}

// The codes of the checker. RQ01xx, which the parser reports, are listed in
// package syntax.
const (
	CodeUnknownName       = "RQ0201"
	CodeUnknownFunction   = "RQ0202"
	CodeUnknownAction     = "RQ0203"
	CodeUnknownTransform  = "RQ0204"
	CodeUnknownSchema     = "RQ0205"
	CodeUnknownSource     = "RQ0206"
	CodeUnknownStore      = "RQ0207"
	CodeStoreDeclared     = "RQ0208"
	CodeStoreNearby       = "RQ0209"
	CodeDuplicate         = "RQ0210"
	CodeClash             = "RQ0211"
	CodeDuplicateVariable = "RQ0212"
	CodeShadowing         = "RQ0213"
	CodeCycle             = "RQ0214"
	CodeSchemaCycle       = "RQ0215"
	CodeMisplaced         = "RQ0216"
	CodeSchemaNearby      = "RQ0217"
	CodeNotHere           = "RQ0218"
	CodeFunctionAsValue   = "RQ0219"
	CodeNoAction          = "RQ0220"
	CodeNoSource          = "RQ0221"
	CodeLoose             = "RQ0222"
	CodeNoMission         = "RQ0223"
	CodeStrayMission      = "RQ0224"

	CodeArgumentCount   = "RQ0301"
	CodeArgumentKind    = "RQ0302"
	CodeOperands        = "RQ0303"
	CodeNeverEqual      = "RQ0304"
	CodeUnknownField    = "RQ0305"
	CodeMissingField    = "RQ0306"
	CodeFieldType       = "RQ0307"
	CodeExtraField      = "RQ0308"
	CodeBadRegexp       = "RQ0309"
	CodeBadDate         = "RQ0310"
	CodeItemExpression  = "RQ0311"
	CodeNotIterable     = "RQ0312"
	CodeDivisionByZero  = "RQ0313"
	CodeNoFields        = "RQ0314"
	CodeParamDefault    = "RQ0315"
	CodeBadIndex        = "RQ0316"
	CodePatternMismatch = "RQ0317"
	CodeBadArgument     = "RQ0318"
	CodeNotRecord       = "RQ0319"
	CodeEmptyType       = "RQ0320"

	CodeMissingDefault       = "RQ0401"
	CodeUnreachableArm       = "RQ0402"
	CodeUnusedVariable       = "RQ0403"
	CodeUnusedParam          = "RQ0404"
	CodeUnusedDecl           = "RQ0405"
	CodeImplausibleTime      = "RQ0406"
	CodeLiteralSecret        = "RQ0407"
	CodeGetWithBody          = "RQ0408"
	CodeUnmappedStored       = "RQ0409"
	CodeConstant             = "RQ0411"
	CodeCarriesOn            = "RQ0412"
	CodeUnreachableStep      = "RQ0413"
	CodeUnknownAllow         = "RQ0414"
	CodeNoEffect             = "RQ0415"
	CodePageSize             = "RQ0416"
	CodePlainBraces          = "RQ0417"
	CodeOverwrittenField     = "RQ0418"
	CodeForeignPattern       = "RQ0419"
	CodeNotIncremental       = "RQ0420"
	CodeSharedPosition       = "RQ0421"
	CodeConstantKey          = "RQ0422"
	CodeEnvelopeAsData       = "RQ0423"
	CodeDollarBraces         = "RQ0424"
	CodeFieldsCounted        = "RQ0425"
	CodeNotAvailable         = "RQ0426"
	CodeTypeBinds            = "RQ0427"
	CodeEscapedURL           = "RQ0428"
	CodeClearedSync          = "RQ0429"
	CodeForgetfulSync        = "RQ0430"
	CodeSamePages            = "RQ0431"
	CodeKeylessSync          = "RQ0432"
	CodeSkippedSync          = "RQ0433"
	CodeMixedLetters         = "RQ0434"
	CodeOwnPosition          = "RQ0435"
	CodeUsedBehindCheckpoint = "RQ0436"

	CodeUnknownOption   = "RQ0501"
	CodeOptionTwice     = "RQ0502"
	CodeOptionKind      = "RQ0503"
	CodeOptionWord      = "RQ0504"
	CodeOptionRange     = "RQ0505"
	CodeOptionMissing   = "RQ0506"
	CodeOptionsClash    = "RQ0507"
	CodeBadCron         = "RQ0508"
	CodeBadTimezone     = "RQ0509"
	CodeBadAt           = "RQ0510"
	CodeBadAdapter      = "RQ0511"
	CodeBadTarget       = "RQ0512"
	CodeBadPaginate     = "RQ0513"
	CodeNotConstant     = "RQ0514"
	CodeBadURL          = "RQ0515"
	CodeBadHeader       = "RQ0516"
	CodeBadStatus       = "RQ0517"
	CodeBadFormatOption = "RQ0518"
	CodeStoreOption     = "RQ0519"

	CodeTooLarge = "RQ0601"
)

var checkCodes = []Code{
	{CodeUnknownName, Error, StageNames, "a name that is no variable, parameter, store or built-in function"},
	{CodeUnknownFunction, Error, StageNames, "a call of a function that does not exist"},
	{CodeUnknownAction, Error, StageNames, "`run` or `jump` names an action that the mission does not have"},
	{CodeUnknownTransform, Error, StageNames, "`apply` names a transform that the mission does not have"},
	{CodeUnknownSchema, Error, StageNames, "a type that is neither built in nor a declared schema"},
	{CodeUnknownSource, Error, StageNames, "a request names a source that the mission does not have"},
	{CodeUnknownStore, Error, StageNames, "a store that is neither declared nor stored to"},
	{CodeStoreDeclared, Info, StageNames, "storing to an undeclared name declares a file store"},
	{CodeStoreNearby, Warning, StageNames, "storing to an undeclared name that is much like a declared store's"},
	{CodeDuplicate, Error, StageNames, "two declarations of one name"},
	{CodeClash, Error, StageNames, "a declaration whose name means something else already"},
	{CodeDuplicateVariable, Error, StageNames, "a variable bound twice in one block"},
	{CodeShadowing, Warning, StageNames, "a variable that hides an outer one"},
	{CodeCycle, Error, StageNames, "actions that run each other in a circle"},
	{CodeSchemaCycle, Error, StageNames, "schemas that include each other in a circle"},
	{CodeMisplaced, Error, StageNames, "a directive where it can't work"},
	{CodeSchemaNearby, Warning, StageNames, "a target name that is much like a declared schema's"},
	{CodeNotHere, Error, StageNames, "`response`, the subject or `lastSync` where there is none"},
	{CodeFunctionAsValue, Error, StageNames, "a built-in function used as a value instead of called"},
	{CodeNoAction, Warning, StageNames, "a mission without actions, or an action without steps"},
	{CodeNoSource, Error, StageNames, "a request with a relative path in a mission without sources"},
	{CodeLoose, Error, StageNames, "a declaration outside of a mission and of a mission folder"},
	{CodeNoMission, Error, StageNames, "a file, or a mission folder's mission.reqon, without a mission"},
	{CodeStrayMission, Error, StageNames, "a second mission in a mission folder"},

	{CodeArgumentCount, Error, StageTypes, "a call with too few or too many arguments"},
	{CodeArgumentKind, Error, StageTypes, "an argument of a kind that the function does not take"},
	{CodeOperands, Error, StageTypes, "an operator between kinds that it can't work on"},
	{CodeNeverEqual, Warning, StageTypes, "a comparison whose result is always the same"},
	{CodeUnknownField, Warning, StageTypes, "a field that the value's schema does not have"},
	{CodeMissingField, Error, StageTypes, "a result that lacks a required field of its schema"},
	{CodeFieldType, Error, StageTypes, "a result's field that does not fit its schema"},
	{CodeExtraField, Warning, StageTypes, "a result's field that its schema does not have"},
	{CodeBadRegexp, Error, StageTypes, "a regular expression that can't be read"},
	{CodeBadDate, Error, StageTypes, "a text that is no date where one is needed"},
	{CodeItemExpression, Error, StageTypes, "a lambda that can't stand where it does, or has the wrong parameters"},
	{CodeNotIterable, Error, StageTypes, "a loop over, or a spread of, something that is no array or object"},
	{CodeDivisionByZero, Error, StageTypes, "division or modulo by zero"},
	{CodeNoFields, Warning, StageTypes, "a field of a value that has no fields"},
	{CodeParamDefault, Error, StageTypes, "a parameter's default that does not fit its type"},
	{CodeBadIndex, Error, StageTypes, "an index of the wrong kind, or of something that has no elements"},
	{CodePatternMismatch, Warning, StageTypes, "a pattern that its subject can never match"},
	{CodeBadArgument, Error, StageTypes, "a literal argument that the function refuses"},
	{CodeNotRecord, Error, StageTypes, "storing something that is no object or array of objects"},
	{CodeEmptyType, Error, StageTypes, "a schema that no finite value can match"},

	{CodeMissingDefault, Warning, StageLint, "a match expression without `_`, which may give null"},
	{CodeUnreachableArm, Warning, StageLint, "an arm that is never reached"},
	{CodeUnusedVariable, Warning, StageLint, "a variable that is never used"},
	{CodeUnusedParam, Warning, StageLint, "a mission parameter that is never used"},
	{CodeUnusedDecl, Warning, StageLint, "a declaration that is never used"},
	{CodeImplausibleTime, Warning, StageLint, "a bare number that is an implausible time"},
	{CodeLiteralSecret, Warning, StageLint, "a secret written into the source"},
	{CodeGetWithBody, Warning, StageLint, "a GET with `body` and no `params`"},
	{CodeUnmappedStored, Warning, StageLint, "storing the source of a `map` instead of its result"},
	{CodeConstant, Warning, StageLint, "a condition that is always true or always false"},
	{CodeCarriesOn, Info, StageLint, "a `_` that carries on takes good responses only"},
	{CodeUnreachableStep, Warning, StageLint, "a step that is never reached"},
	{CodeUnknownAllow, Warning, StageLint, "a `reqon:allow` that silences nothing"},
	{CodeNoEffect, Warning, StageLint, "an option that has no effect without another"},
	{CodePageSize, Warning, StageLint, "a page size that is not sent, or another than the one that is sent"},
	{CodePlainBraces, Warning, StageLint, "a plain string that looks like a template"},
	{CodeOverwrittenField, Warning, StageLint, "a key given twice in one object"},
	{CodeForeignPattern, Warning, StageLint, "a date pattern in the letters of another tool"},
	{CodeNotIncremental, Warning, StageLint, "a `since` that is the same in every run"},
	{CodeSharedPosition, Warning, StageLint, "two incremental requests that share one sync position"},
	{CodeConstantKey, Warning, StageLint, "a key that is the same for every record"},
	{CodeEnvelopeAsData, Warning, StageLint, "the envelope of a failed request that goes on as data"},
	{CodeDollarBraces, Warning, StageLint, "a template with the `${…}` of another language"},
	{CodeFieldsCounted, Warning, StageLint, "an `until` that counts a page's fields, not its items"},
	{CodeNotAvailable, Warning, StageLint, "something that the language has and this version does not carry out"},
	{CodeTypeBinds, Warning, StageLint, "a type's name in a pattern, which binds a variable and tests nothing"},
	{CodeEscapedURL, Warning, StageLint, "an address interpolated in a path, which escapes it as one segment"},
	{CodeClearedSync, Warning, StageLint, "`clear` of a store that an incremental request fills"},
	{CodeForgetfulSync, Warning, StageLint, "an incremental request into a store that does not keep what it gets"},
	{CodeSamePages, Warning, StageLint, "an incremental request that is cut at the same page in each run"},
	{CodeKeylessSync, Warning, StageLint, "records of an incremental request without a key or an `id`"},
	{CodeSkippedSync, Warning, StageLint, "a failure that is skipped or allowed where a sync position moves on"},
	{CodeMixedLetters, Warning, StageLint, "failed items queued in the store of the data"},
	{CodeOwnPosition, Warning, StageLint, "a position that a mission keeps itself, moved on behind a loop whose items may fail"},
	{CodeUsedBehindCheckpoint, Warning, StageLint, "a fetched value that is used behind a `checkpoint`"},

	{CodeUnknownOption, Error, StageNames, "an option that does not exist"},
	{CodeOptionTwice, Error, StageNames, "an option given twice"},
	{CodeOptionKind, Error, StageTypes, "an option's value of the wrong kind"},
	{CodeOptionWord, Error, StageTypes, "an option's value that is none of its words"},
	{CodeOptionRange, Error, StageTypes, "an option's value out of range"},
	{CodeOptionMissing, Error, StageTypes, "an option that must be given"},
	{CodeOptionsClash, Error, StageTypes, "options that can't be given together"},
	{CodeBadCron, Error, StageTypes, "a cron expression that can't be read"},
	{CodeBadTimezone, Error, StageTypes, "a time zone that does not exist"},
	{CodeBadAt, Error, StageTypes, "an `at` time that can't be read"},
	{CodeBadAdapter, Error, StageTypes, "a store adapter that does not exist or can't be chosen so"},
	{CodeBadTarget, Error, StageTypes, "a file store's target outside of the state folder"},
	{CodeBadPaginate, Error, StageTypes, "a pagination that can't be read"},
	{CodeNotConstant, Error, StageTypes, "an option whose value must be written out"},
	{CodeBadURL, Error, StageTypes, "an address that can't be requested"},
	{CodeBadHeader, Error, StageTypes, "a header that can't be sent"},
	{CodeBadStatus, Error, StageTypes, "a number that is no HTTP status"},
	{CodeBadFormatOption, Error, StageTypes, "a date pattern without any date in it"},
	{CodeStoreOption, Error, StageTypes, "a store's option that its adapter does not have, or that does not go with others"},

	{CodeTooLarge, Error, StageCode, "a mission, or a part of it, that is larger than a program can be"},
}

// Codes returns the table of all codes, in their order.
func Codes() []Code {
	all := append(syntaxCodes(), checkCodes...)
	slices.SortFunc(all, func(a, b Code) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	return all
}

// Lookup returns the entry of a code, or nil.
func Lookup(code string) *Code {
	for i := range checkCodes {
		if checkCodes[i].Code == code {
			return &checkCodes[i]
		}
	}
	for _, c := range syntaxCodes() {
		if c.Code == code {
			return &c
		}
	}
	return nil
}
