// Package reference is a store kept in maps behind one mutex: slow, forgetful
// and plain enough to be seen to be right. Package storetest compares every
// engine with it, and is itself tried on it.
package reference
