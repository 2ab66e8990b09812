package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
)

// geminiGenerate serves generateContent and streamGenerateContent.
func geminiGenerate(c *call, model, kind string, stream bool) {
	body, config, ok := geminiBody(c)
	if !ok {
		return
	}
	contents, _ := body["contents"].([]any)
	input, pictures := 0, 0
	for _, content := range contents {
		said, n := geminiSaid(content)
		input += tokens(said) + 258*n
		pictures += n
	}
	question, _ := geminiSaid(contents[len(contents)-1])
	system, _ := geminiSaid(body["systemInstruction"])
	c.accept(c.id, model, question, "")
	answer := newAnswerText(c, system, question, input)
	answer.limit(config.integer("maxOutputTokens", 1<<20))

	size := effortText
	if kind == geminiImage {
		size = effortImage
	}
	if !c.labor(size) {
		return
	}
	if answer.refused {
		geminiStream(c, stream, []object{{
			"promptFeedback": object{"blockReason": "PROHIBITED_CONTENT", "safetyRatings": []object{}}, "usageMetadata": geminiUsage(input, 0),
			"modelVersion": model, "responseId": c.id,
		}})
		return
	}
	modalities, _ := config["responseModalities"].([]any)
	if kind == geminiImage && (len(modalities) == 0 || slices.Contains(modalities, any("IMAGE"))) {
		geminiPaint(c, model, question, config, input, pictures, stream)
		return
	}
	geminiStream(c, stream, geminiTextChunks(c, model, answer, stream))
}

func geminiUsage(input, output int) object {
	return object{"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output}
}

func geminiChunk(c *call, model string, parts []object, finish string, usage object) object {
	candidate := object{"content": object{"role": "model", "parts": parts}, "index": 0}
	if finish != "" {
		candidate["finishReason"] = finish
	}
	return object{"candidates": []object{candidate}, "usageMetadata": usage, "modelVersion": model, "responseId": c.id}
}

// geminiTextChunks is the answer whole, or in a few chunks for a stream.
func geminiTextChunks(c *call, model string, answer *answerText, stream bool) []object {
	finish := "STOP"
	if answer.cut {
		finish = "MAX_TOKENS"
	}
	if !stream {
		return []object{geminiChunk(c, model, []object{{"text": answer.whole()}}, finish, geminiUsage(answer.input, answer.output()))}
	}
	var chunks []object
	const step = 4
	for i := 0; i < len(answer.pieces); i += step {
		end, reason := min(i+step, len(answer.pieces)), ""
		if end == len(answer.pieces) {
			reason = finish
		}
		part := answerText{pieces: answer.pieces[i:end]}
		chunks = append(chunks, geminiChunk(c, model, []object{{"text": part.whole()}}, reason, geminiUsage(answer.input, end)))
	}
	return chunks
}

// geminiStream answers with chunks: as one body, as server-sent events, or,
// without alt=sse, as a JSON array.
func geminiStream(c *call, stream bool, chunks []object) {
	switch {
	case !stream:
		c.json(http.StatusOK, chunks[0])
	case c.r.URL.Query().Get("alt") != "sse":
		c.json(http.StatusOK, chunks)
	default:
		c.w.Header().Set("Content-Type", "text/event-stream")
		c.w.WriteHeader(http.StatusOK)
		pause := c.srv.latency(effortText) / 10
		for i, chunk := range chunks {
			if i > 0 && !c.srv.pause(c.r.Context(), pause) {
				return
			}
			data, _ := json.Marshal(chunk) //nolint:errchkjson // maps of plain values
			_, _ = fmt.Fprintf(c.w, "data: %s\r\n\r\n", data)
			_ = http.NewResponseController(c.w).Flush()
		}
	}
}

// geminiPaint answers with a picture among the parts.
func geminiPaint(c *call, model, question string, config inputs, input, pictures int, stream bool) {
	raw, _ := config["imageConfig"].(map[string]any)
	settings := inputs(raw)
	if bad := inspect(settings, true, may("aspectRatio", oneOf("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")),
		may("imageSize", oneOf("512", "1K", "2K", "4K"))); len(bad) > 0 {
		geminiBad(c, "generation_config.image_config", bad[0])
		return
	}
	area := map[string]int{"512": 1 << 18, "1K": 1 << 20, "2K": 4 << 20, "4K": 8 << 20}[settings.str("imageSize", "1K")]
	width, height := ratioSize(settings.str("aspectRatio", "1:1"), area, 32)
	seed := config.integer("seed", seedOf(question)) + int64(pictures)
	file, err := c.srv.studio.render(work{Prompt: question, Seed: seed, Width: width, Height: height, Format: "png"})
	if err != nil {
		c.vendor.refuse(c, broken)
		return
	}
	const tokensPerImage = 1290
	geminiStream(c, stream, []object{geminiChunk(c, model, []object{
		{"text": "Here is your picture."},
		{"inlineData": object{"mimeType": "image/png", "data": base64.StdEncoding.EncodeToString(file)}},
	}, "STOP", geminiUsage(input, tokensPerImage+5))})
}

// veoCreate starts a video.
func veoCreate(c *call, model string) {
	body, err := decodeObject(c.body)
	if err != nil {
		geminiError(c, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid JSON payload received.")
		return
	}
	if bad := inspect(body, true, must("instances", list(1, 1, anything)), may("parameters", anything)); len(bad) > 0 {
		geminiBad(c, "", bad[0])
		return
	}
	instances, _ := body["instances"].([]any)
	first, _ := instances[0].(map[string]any)
	raw, _ := body["parameters"].(map[string]any)
	settings := inputs(raw)
	bad := append(inspect(first, false, must("prompt", text(1, 10000))), inspect(settings, false,
		may("aspectRatio", oneOf("16:9", "9:16")), may("durationSeconds", whole(4, 8)), may("resolution", oneOf("720p", "1080p")))...)
	if len(bad) > 0 {
		geminiBad(c, "parameters", bad[0])
		return
	}
	width, height := ratioSize(settings.str("aspectRatio", "16:9"), 1280*720, 16)
	prompt := inputs(first).str("prompt", "")
	j := job{ID: uuid.NewString(), API: "veo", Model: model, Prompt: prompt, Works: []work{{
		Prompt: prompt, Seed: settings.integer("seed", seedOf(prompt)), Width: width, Height: height, Format: "mp4",
		Seconds: settings.float("durationSeconds", 8),
	}}, Lifetime: 48 * 3600}
	c.plan(&j, effortVideo)
	c.srv.jobs.put(&j)
	c.accept(j.ID, model, prompt, "")
	c.json(http.StatusOK, object{"name": veoName(j)})
}

func veoName(j job) string { return "models/" + j.Model + "/operations/" + j.ID }

func veoGet(c *call) {
	j, ok := c.srv.jobs.get(Gemini, c.r.PathValue("id"))
	if !ok {
		geminiError(c, http.StatusNotFound, "NOT_FOUND", "Operation not found.")
		return
	}
	operation := object{"name": veoName(j)}
	phase := j.at(c.srv.opts.Now())
	switch {
	case !phase.terminal():
	case phase == phaseSucceeded:
		operation["done"] = true
		operation["response"] = object{
			"@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse",
			"generateVideoResponse": object{"generatedSamples": []object{{
				"video": object{"uri": j.Base + "/gemini/v1beta/files/" + j.ID + ":download?alt=media"},
			}}},
		}
	case j.End == endModerated: // looks like a success, without a sample
		operation["done"] = true
		operation["response"] = object{"generateVideoResponse": object{
			"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": []string{"The prompt was blocked by the safety filter. Support codes: 58061214"},
		}}
	default:
		operation["done"], operation["error"] = true, object{"code": 13, "message": "An internal error has occurred."}
	}
	c.json(http.StatusOK, operation)
}

// veoDownload redirects to the file, as the real one does for a valid key.
func veoDownload(c *call) {
	id := c.r.PathValue("file")
	if len(id) > 36 {
		id = id[:36] // without ":download"
	}
	j, ok := c.srv.jobs.get(Gemini, id)
	if !ok {
		geminiError(c, http.StatusNotFound, "NOT_FOUND", "File not found.")
		return
	}
	http.Redirect(c.w, c.r, fileURLs(j)[0], http.StatusFound)
}
