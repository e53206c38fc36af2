// Package wire holds the values that appear in Tiffin's JSON and the one strict way to read and write it.
//
// Invariants:
//   - Money never becomes a float, neither in memory nor on the way in or out.
//   - Decode accepts exactly one JSON value: no duplicate keys, no trailing data, no unknown or differently-cased
//     member. What is not JSON is Malformed (HTTP 400), what is JSON but not the wanted shape is Invalid (HTTP 422).
//   - No error of this package repeats the refused value, so a refused password never reaches a log or an answer.
//
// The package imports nothing of this project, so every other package may use it.
package wire
