package simulator

import (
	"net/http"
	"strings"
)

// openAIEdit is the multipart form of images/edits.
func openAIEdit(c *call) {
	in, files, err := c.readForm()
	if err != nil {
		openAIError(c, http.StatusBadRequest, "invalid_request_error", "", "",
			"Could not parse multipart form. Send images as files of the field 'image'.")
		return
	}
	rules := append(openAIImageRules(), may("input_fidelity", oneOf("high", "low")))
	if bad := inspect(in, true, rules...); len(bad) > 0 {
		openAIProblem(c, bad[0])
		return
	}
	images := 0
	for _, file := range files {
		name := strings.TrimSuffix(file.field, "[]")
		if name != "image" && name != "mask" {
			openAIProblem(c, problem{file.field, problemUnknown, "is not a known parameter"})
			return
		}
		if !isPicture(file.data) {
			openAIError(c, http.StatusBadRequest, "image_generation_user_error", "invalid_image_file", name,
				"Invalid image file or mode, please check your image file.")
			return
		}
		if name == "image" {
			images++
		}
	}
	if images == 0 {
		openAIProblem(c, problem{"image", problemMissing, "is required"})
		return
	}
	if images > 16 {
		openAIProblem(c, problem{"image", problemRange, "must be at most 16 files"})
		return
	}
	openAIPaint(c, in, images)
}
