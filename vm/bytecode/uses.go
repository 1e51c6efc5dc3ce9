package bytecode

import "slices"

// UsesOf returns what belongs in p.Uses: each step that waits and each function
// that asks the host, at its first place. The compiler puts it there, and the
// verifier holds it against the code.
func UsesOf(p *Program) (uses []Use) {
	note := func(f *Func, pc int, part Part, name string) {
		if !slices.ContainsFunc(uses, func(u Use) bool { return u.Part == part && u.Name == name }) {
			uses = append(uses, Use{Part: part, Name: name, Pos: f.PosAt(pc)})
		}
	}
	for i := range p.Funcs {
		f := &p.Funcs[i]
		for pc := 0; pc < len(f.Code); {
			op := Op(f.Code[pc])
			info, ok := InfoOf(op)
			if !ok || pc+info.Size() > len(f.Code) {
				break // the verifier tells
			}
			switch op {
			case Wait:
				note(f, pc, StepPart, "wait")
			case Pause:
				note(f, pc, StepPart, "pause")
			case CallHost:
				if h := operandAt(f.Code, pc+1, OperandHost); h < len(HostFuncs) {
					note(f, pc, FunctionPart, HostFuncs[h])
				}
			}
			pc += info.Size()
		}
	}
	return uses
}
