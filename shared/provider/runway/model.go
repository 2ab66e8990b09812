package runway

// model is what one of the vendor's models takes.
type model struct {
	image      bool // it makes images; else videos
	needsImage bool
	// ratios are in pixels; the first one is used when the request does not say.
	ratios       []string
	seconds      []int
	usualSeconds int
	promptLength int
	seeds        bool
	moderates    bool
	negative     bool
	audio        bool
}

// modelOf returns what a model takes, which for some differs when it starts from
// an image.
func modelOf(name string, fromImage bool) (model, bool) {
	gen4 := model{seconds: between(2, 10), usualSeconds: 5, promptLength: 1000, seeds: true, moderates: true}
	switch name {
	case "gen4.5":
		gen4.ratios = []string{"1280:720", "720:1280"}
		if fromImage {
			gen4.ratios = wideRatios()
		}
		return gen4, true
	case "gen4_turbo":
		gen4.ratios, gen4.needsImage = wideRatios(), true
		return gen4, true
	case "veo3.1", "veo3.1_fast":
		return model{
			ratios: []string{"1280:720", "720:1280", "1920:1080", "1080:1920"}, seconds: []int{4, 6, 8}, usualSeconds: 8,
			promptLength: 1000, negative: true, audio: true,
		}, true
	case "gemini_omni_flash":
		return model{ratios: []string{"1280:720", "720:1280"}, seconds: between(3, 10), usualSeconds: 5, promptLength: 4000}, true
	case "seedance2", "seedance2_fast", "seedance2_mini":
		return model{
			ratios:  []string{"1280:720", "720:1280", "960:960", "1112:834", "834:1112", "1470:630", "864:496", "496:864", "640:640", "752:560", "560:752", "992:432"},
			seconds: between(4, 15), usualSeconds: 5, promptLength: 3500, audio: true,
		}, true
	case "gen4_image", "gen4_image_turbo":
		return model{
			image: true, needsImage: name == "gen4_image_turbo", promptLength: 1000, seeds: true, moderates: true,
			ratios: []string{
				"1024:1024", "1280:720", "720:1280", "960:720", "720:960", "1680:720", "720:720", "1360:768", "1168:880",
				"1080:1080", "1920:1080", "1080:1920", "1440:1080", "1080:1440", "1808:768", "2112:912",
			},
		}, true
	default:
		return model{}, false
	}
}

func wideRatios() []string {
	return []string{"1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"}
}

func between(first, last int) []int {
	numbers := make([]int, 0, last-first+1)
	for n := first; n <= last; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}
