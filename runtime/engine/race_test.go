//go:build race

package engine_test

// raceDetector takes several times the memory and the time.
const raceDetector = true
