// Package syntax turns source text into a tree: positions, tokens, lexer, the
// tree's nodes, the parser (recursive descent for declarations and steps, Pratt
// for expressions) and a printer that writes a tree back as source.
package syntax
