package vm

// Keeper is told where the tasks of a run stand and what they are about to do,
// so that it can write that down, and the run go on elsewhere. Its methods are
// called from all tasks of the run, several at once.
type Keeper interface {
	// Ended tells that a task which another one had begun is over.
	Ended(t *Task)
}
