package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tiffin/bench/proc"
)

// effort is what one operation costs in µs of processor time, by program.
type effort map[string]float64

// perOperation shares what was used among n operations.
func perOperation(used proc.Usage, n int) effort {
	e := effort{}
	for program, d := range used {
		e[program] = float64(d.Nanoseconds()) / 1e3 / float64(n)
	}
	return e
}

func (e effort) total() (us float64) {
	for _, part := range e {
		us += part
	}
	return us
}

// String gives the sum and its parts, the greatest first, without those below
// a hundredth.
func (e effort) String() string {
	programs := slices.SortedFunc(maps.Keys(e), func(a, b string) int { return cmp.Compare(e[b], e[a]) })
	var parts []string
	for _, program := range programs {
		if e[program] >= e.total()/100 {
			parts = append(parts, fmt.Sprintf("%s %.0f", program, e[program]))
		}
	}
	return fmt.Sprintf("%.0f µs of CPU (%s)", e.total(), strings.Join(parts, ", "))
}
