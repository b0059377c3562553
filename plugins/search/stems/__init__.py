"""Other forms of a word: `castle` finds `castles`, in the languages that the operator names."""
