package replicate

import (
	"encoding/json"
	"slices"
	"strings"

	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// family is what a group of models takes as input. The zero value is a model
// that the driver does not know: it gets the prompt and what the config and the
// caller set for this protocol, unchecked.
type family struct {
	known bool
	// ratios are the values of aspect_ratio.
	ratios []string
	// custom is the largest side of a free size, a multiple of 32; 0 has none.
	custom int
	// megapixels is true for models that take a size only as "1" or "0.25".
	megapixels bool
	// count is the most pictures per call, as num_outputs.
	count int
	// image is the member for an input image, and list whether it is a list.
	image    string
	list     bool
	strength bool
	loras    int
	video    bool
	// options are the further members, by name, with their JSON type.
	options map[string]string
	// microUSD is the price of one result, 0 when it is not known here.
	microUSD int64
}

const (
	number  = httpcall.Number
	boolean = httpcall.Boolean
	text    = httpcall.String
)

// familyOf finds the family by the model's name; a config whose model is only a
// version names it as "family" in its data.
func familyOf(c provider.Call) family {
	model, _, _ := strings.Cut(c.Model, ":")
	model = model[strings.LastIndex(model, "/")+1:]
	var data struct {
		Family string `json:"family"`
	}
	if len(c.Data) > 0 && json.Unmarshal(c.Data, &data) == nil && data.Family != "" {
		model = data.Family
	}
	switch {
	case model == "stable-video-diffusion":
		return family{known: true, video: true, image: "input_image", options: map[string]string{
			"sizing_strategy": text, "motion_bucket_id": number, "cond_aug": number, "decoding_t": number, "video_length": text,
		}}
	case strings.HasPrefix(model, "flux-2-"):
		return family{
			known: true, ratios: proRatios(), custom: 2048, image: "input_images", list: true,
			options: with(output(), "safety_tolerance", number, "resolution", text),
		}
	default:
		return flux1(model)
	}
}

// flux1 are the first generation's models.
func flux1(model string) family {
	open := family{
		known: true, ratios: openRatios(), megapixels: true, count: 4,
		options: with(output(), "num_inference_steps", number, "disable_safety_checker", boolean, "go_fast", boolean),
	}
	pro := family{
		known: true, ratios: proRatios(), custom: 1440, image: "image_prompt",
		options: with(output(), "safety_tolerance", number, "prompt_upsampling", boolean),
	}
	switch model {
	case "flux-schnell":
		open.microUSD = 3_000
		return open
	case "flux-schnell-lora":
		open.loras = 1
		return open
	case "flux-dev":
		open.image, open.strength, open.microUSD = "image", true, 25_000
		open.options["guidance"] = number
		return open
	case "flux-dev-lora":
		open.image, open.strength, open.loras = "image", true, 2
		open.options["guidance"] = number
		return open
	case "flux-1.1-pro":
		pro.microUSD = 40_000
		return pro
	case "flux-1.1-pro-ultra":
		pro.custom, pro.microUSD = 0, 60_000
		pro.ratios = append(pro.ratios, "21:9", "9:21")
		pro.options["raw"] = boolean
		return pro
	case "flux-pro":
		pro.microUSD = 55_000
		pro.options["steps"], pro.options["guidance"], pro.options["interval"] = number, number, number
		return pro
	default:
		return family{}
	}
}

func output() map[string]string { return map[string]string{"output_quality": number} }

// with adds pairs of name and type.
func with(options map[string]string, pairs ...string) map[string]string {
	for pair := range slices.Chunk(pairs, 2) {
		options[pair[0]] = pair[1]
	}
	return options
}

func proRatios() []string {
	return []string{"1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3"}
}

func openRatios() []string { return append(proRatios(), "21:9", "9:21") }

// costOf is the price of the results in micro-USD, 0 when it is not known here.
func costOf(c provider.Call, files int) int64 { return familyOf(c).microUSD * int64(files) }
