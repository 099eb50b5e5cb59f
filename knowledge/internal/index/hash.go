package index

// hash is the 64-bit FNV-1a of a text (Fowler, Noll, Vo), its bits mixed by the
// last step of MurmurHash3 (Appleby). It is part of what a snapshot holds and the
// same everywhere.
func hash[T ~string | ~[]byte](text T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
