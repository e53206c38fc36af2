package apikeys

// Size is how many keys are remembered.
func (k *Keys) Size() int { return len(k.young) + len(k.old) }
