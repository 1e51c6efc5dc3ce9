// Package flock locks open files against other processes.
package flock
