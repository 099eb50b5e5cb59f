// Package judged reads sets of questions whose answers are known, and measures
// how well a search or a confidence does on them. It is for benchmarks and for
// fitting; no program of users links it.
package judged
