package server

import (
	"strconv"
	"strings"

	"tiffin/shard"
)

// cityOf gives the name an order shows for a city and the key by which lists find it. Known cities are found however
// they are spelled; of the others, spellings that differ in case and spaces only are one.
func cityOf(route shard.Route, typed string) (name, key string) {
	if route.City != nil {
		return route.City.Name, "#" + strconv.Itoa(route.City.ID)
	}
	name = strings.Join(strings.Fields(typed), " ")
	return name, strings.ToLower(name)
}
