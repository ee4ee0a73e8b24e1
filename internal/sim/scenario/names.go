package scenario

import (
	"fmt"
	"math/rand/v2"
)

// people deals out names of people; after a long while they repeat.
func people(rng *rand.Rand) func() string {
	first := []string{
		"Mia", "Jonas", "Amara", "Luca", "Sofia", "Noah", "Ines", "Tariq", "Elena", "Mateo", "Freya", "Omar", "Clara",
		"Viktor", "Leila", "Hugo", "Nadia", "Emil", "Priya", "Oscar", "Yara", "Felix", "Marta", "Kofi", "Anna", "Rafael",
		"Selma", "Ivan", "Lena", "Samir", "Ada", "Bruno", "Wren", "Teo", "Iris", "Malik", "Olga", "Pablo", "Ruth", "Zeno",
	}
	last := []string{
		"Berg", "Okafor", "Lindqvist", "Moreau", "Costa", "Haddad", "Novak", "Petrov", "Silva", "Keller", "Ansah",
		"Larsen", "Rossi", "Dubois", "Mendes", "Fischer", "Khan", "Vega", "Sato", "Brandt", "Aydin", "Kowal", "Marsh",
		"Nyberg", "Ortiz", "Quist", "Reyes", "Stone", "Tanaka", "Voss", "Webb", "Yilmaz", "Abel", "Cruz", "Diaz", "Ek",
	}
	order := rng.Perm(len(first) * len(last))
	n := 0
	return func() string {
		i := order[n%len(order)]
		n++
		return first[i%len(first)] + " " + last[i/len(first)]
	}
}

// phone is a number nobody has (the 555-01xx block).
func phone(rng *rand.Rand) string { return fmt.Sprintf("+1 555 01%02d", rng.IntN(100)) }

func meal(rng *rand.Rand) string {
	dishes := []string{
		"2 soups", "1 pizza", "3 tacos", "1 curry, 2 naan", "2 noodle bowls", "4 dumplings, 1 tea", "1 salad", "2 burgers",
		"1 family box", "2 falafel wraps", "1 lasagne", "6 sushi rolls", "1 pancake stack", "2 poke bowls",
	}
	return dishes[rng.IntN(len(dishes))]
}
