package server

import (
	"fmt"
	"strings"
)

// conditions are those of a list that were asked for. Only they stand in the statement: it is planned for what it says,
// not for the values of its parameters, so that one that holds for every value would keep the planner from any index.
type conditions struct {
	texts []string
	args  []any
}

// add adds a condition such as "id < $%d", unless its value is empty.
func (c *conditions) add(text, value string) {
	if value != "" {
		c.args = append(c.args, value)
		c.texts = append(c.texts, fmt.Sprintf(text, len(c.args)))
	}
}

// where is the clause, "" without conditions.
func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " where " + strings.Join(c.texts, " and ")
}
