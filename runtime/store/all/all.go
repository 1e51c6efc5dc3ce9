// Package all names the adapters of stores that this program has, besides those
// that every engine has by itself (memory and file).
package all

import (
	"reqon/runtime/store"
	"reqon/runtime/store/lines"
	"reqon/runtime/store/mysql"
	"reqon/runtime/store/postgres"
	"reqon/runtime/store/redis"
	"reqon/runtime/store/sqlite"
)

// Adapters returns what makes each adapter, by its name in the language.
func Adapters() map[string]store.New {
	return map[string]store.New{"sqlite": sqlite.New, "postgres": postgres.New, "mysql": mysql.New,
		"redis": redis.New, "jsonl": lines.NewJSONL, "csv": lines.NewCSV}
}
