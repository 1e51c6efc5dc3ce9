package option

import "strings"

// Target is what an adapter of stores is given in its parentheses.
type Target uint8

// The kinds of targets.
const (
	NoTarget   Target = iota // memory
	FileTarget               // a name in the state folder
	PathTarget               // a path, from the mission's folder on
	URLTarget                // the address of a server
)

// Adapter is a kind of store: what it is given, and which of the options and
// modes of stores it has (language definition, sections 5 and 6.4).
type Adapter struct {
	Name    string
	Target  Target
	Options []string // beyond those that all have
	// Env is the variable that holds the address where none is given, after
	// REQON_<STORE>_URL; "" if it takes none.
	Env string
	// Longest is how long the name of a table or column may be, in bytes, 0 for
	// any; Folds says that names which differ in case alone are the same.
	Longest int
	Folds   bool
	// Modes are those that it has besides merge, append and replace.
	Modes []string
	// WriteOnly says that its records have no keys and can't be read: it has the
	// modes append and replace alone, and no keep and ttl.
	WriteOnly bool
	// Schemes are those of the addresses by which `sql` and `nosql` choose it.
	Schemes []string
}

var sqlOptions = []string{"table", "schema", "evolve", "columns", "key", "extra"}

var serverOptions = []string{"table", "schema", "evolve", "columns", "key", "extra", "nul", "json", "pool", "connectTimeout", "statementTimeout", "retry"}

// MySQL keeps NUL, and JSON as it was written.
var mysqlOptions = []string{"table", "schema", "evolve", "columns", "key", "extra", "pool", "connectTimeout", "statementTimeout", "retry"}

// adapters are all adapters of the language, also those that are not available.
var adapters = []Adapter{
	{Name: "memory"},
	{Name: "file", Target: FileTarget},
	{Name: "sql", Target: URLTarget, Options: serverOptions, Modes: []string{"history"}, Env: "DATABASE_URL"},
	{Name: "nosql", Target: URLTarget},
	{Name: "sqlite", Target: PathTarget, Options: sqlOptions, Modes: []string{"history"}, Folds: true, Schemes: []string{"sqlite"}},
	{Name: "postgres", Target: URLTarget, Options: serverOptions, Modes: []string{"history"}, Env: "DATABASE_URL", Longest: 63, Schemes: []string{"postgres", "postgresql"}},
	{Name: "mysql", Target: URLTarget, Options: mysqlOptions, Env: "DATABASE_URL", Longest: 64, Folds: true, Schemes: []string{"mysql", "mariadb"}},
	{Name: "mongodb", Target: URLTarget, Env: "MONGODB_URL", Schemes: []string{"mongodb", "mongodb+srv"}},
	{Name: "redis", Target: URLTarget, Options: []string{"table", "pool", "connectTimeout", "retry"}, Env: "REDIS_URL", Schemes: []string{"redis", "rediss"}},
	{Name: "postgrest", Target: URLTarget},
	{Name: "jsonl", Target: PathTarget, Options: []string{"schema"}, WriteOnly: true},
	{Name: "csv", Target: PathTarget, Options: []string{"schema"}, WriteOnly: true},
}

// Adapters returns all adapters, in the order of the definition.
func Adapters() []Adapter { return adapters }

// AdapterNames returns their names.
func AdapterNames() []string {
	names := make([]string, len(adapters))
	for i := range adapters {
		names[i] = adapters[i].Name
	}
	return names
}

// FindAdapter returns the adapter of that name, or nil.
func FindAdapter(name string) *Adapter {
	for i := range adapters {
		if adapters[i].Name == name {
			return &adapters[i]
		}
	}
	return nil
}

// AdapterOf returns the adapter that an address is for, or nil. nosql says which
// of the two generic adapters asks.
func AdapterOf(address string, nosql bool) *Adapter {
	scheme, _, ok := strings.Cut(address, ":")
	if !ok {
		return nil
	}
	for i := range adapters {
		a := &adapters[i]
		if (a.Name == "mongodb" || a.Name == "redis") != nosql {
			continue
		}
		for _, s := range a.Schemes {
			if strings.EqualFold(s, scheme) {
				return a
			}
		}
	}
	return nil
}

// All returns the names of all options that the adapter has.
func (a *Adapter) All() (names []string) {
	for _, s := range store.specs {
		if a.Has(s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Has reports whether the adapter has an option of stores.
func (a *Adapter) Has(name string) bool {
	switch name {
	case "keep", "ttl":
		return !a.WriteOnly
	case "mode", "maxDelete":
		return true
	}
	for _, o := range a.Options {
		if o == name {
			return true
		}
	}
	return false
}
