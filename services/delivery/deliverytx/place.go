package deliverytx

import (
	"strconv"

	"tiffin/services/geo"
)

// Place gives a point as a value of the database's type cube, to be cast by the statement that takes it.
func Place(p geo.Point) string {
	x, y, z := p.Unit()
	b := []byte{'('}
	b = strconv.AppendFloat(b, x, 'g', -1, 64)
	b = strconv.AppendFloat(append(b, ','), y, 'g', -1, 64)
	b = strconv.AppendFloat(append(b, ','), z, 'g', -1, 64)
	return string(append(b, ')'))
}
