package city

import (
	"fmt"
	"math/rand/v2"
)

func streetFirst() []string {
	return []string{
		"Kiln", "Elm", "Mill", "Harbour", "Lantern", "Sparrow", "Copper", "Linden", "Orchard", "Chapel", "Weaver",
		"Anchor", "Barley", "Willow", "Cooper", "Foundry", "Heron", "Juniper", "Market", "North", "Oak", "Potter",
		"Quarry", "Rose", "Saddler", "Tanner", "Upper", "Vine", "Walnut", "Abbey", "Bell", "Cedar", "Dyer", "East",
		"Ferry", "Glass", "Hazel", "Iron", "Jasmine", "King's", "Lark", "Maple", "Nettle", "Old", "Poplar", "Queen's",
		"Ropewalk", "Slate", "Thistle", "Union", "Violet", "West", "Yarrow", "Ash", "Brook", "Clover", "Dove", "Fern",
		"Gate", "Hill", "Ivy", "Lower", "Meadow", "Penny", "Rowan", "Silver", "Tower", "Wharf",
	}
}

// streetNames deals out street names, none twice.
func streetNames(rng *rand.Rand) func() string {
	first, second := streetFirst(), []string{"Street", "Row", "Lane", "Road", "Way", "Walk", "Terrace", "Place"}
	order := rng.Perm(len(first) * len(second))
	n := 0
	return func() string {
		i := order[n%len(order)]
		n++
		return first[i%len(first)] + " " + second[i/len(first)]
	}
}

// restaurantNames deals out names of kitchens, none twice.
func restaurantNames(rng *rand.Rand) func() string {
	first := []string{
		"Blue", "Golden", "Little", "Happy", "Green", "Red", "Quiet", "Lucky", "Hungry", "Old", "Corner", "Copper",
		"Salty", "Sunny", "Wild", "Velvet", "Brass", "Paper", "Smoky", "Honest",
	}
	second := []string{
		"Ladle", "Fig", "Kettle", "Noodle", "Oven", "Olive", "Spoon", "Lemon", "Dumpling", "Pepper", "Tandoor", "Crust",
		"Bowl", "Basil", "Skillet", "Radish", "Taco", "Ginger", "Onion", "Clove",
	}
	order := rng.Perm(len(first) * len(second))
	n := 0
	return func() string {
		i := order[n%len(order)]
		n++
		name := first[i%len(first)] + " " + second[i/len(first)]
		if n > len(order) {
			name = fmt.Sprintf("%s %d", name, n/len(order)+1)
		}
		return name
	}
}
