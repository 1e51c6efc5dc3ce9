// Package stdlib holds the built-in functions of the language (language
// definition, section 4): one table of name, signature, implementation and
// one-line doc. The compiler reads the signatures, the machine is linked with
// the implementations.
//
// A function is pure: its result depends on its arguments only. What isn't
// (now, uuid, random, env, …) has Form Host and is answered by the machine's
// host, so that a run can be recorded and replayed. Functions never call back
// into the machine: an item expression is a loop that the compiler writes, and
// the Form of a function says what such a loop hands over.
//
// What the language definition leaves to the functions is settled in README.md
// of this package, a sentence each.
package stdlib
