package simulator

import (
	"fmt"
	"strings"
	"unicode"
)

// prose is the text that simulated language models answer with: plausible,
// always the same for the same question, and in its language.
func prose(system, question string) string {
	question = strings.TrimSpace(question)
	chinese := strings.IndexFunc(question, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
	both := strings.ToLower(system + " " + question)
	subject := subjectOf(question)
	n := uint64(seedOf(question)) //nolint:gosec // never negative
	switch {
	case aboutPrompts(both) && chinese:
		return fmt.Sprintf("%s，%s，%s，%s，画面层次丰富，细节清晰，构图均衡。", subject,
			pick(n, "黄昏的金色光线洒满画面", "清晨薄雾中的柔和光线", "月光下静谧的蓝调氛围"),
			pick(n/3, "电影感广角镜头", "低角度构图，前景有质感", "三分法构图，留白得当"),
			pick(n/9, "水彩与厚涂结合的插画风格", "写实摄影风格，浅景深", "吉卜力式温暖动画风格"))
	case aboutPrompts(both):
		return fmt.Sprintf("%s, %s, %s, %s, layered depth, crisp detail, balanced composition.", upperFirst(subject),
			pick(n, "bathed in warm golden-hour light", "in the soft haze of early morning", "under cool, quiet moonlight"),
			pick(n/3, "wide cinematic framing", "low angle with a textured foreground", "rule-of-thirds composition with generous space"),
			pick(n/9, "painterly illustration with visible brushwork", "photorealistic with shallow depth of field", "storybook style in muted pastel tones"))
	case chinese:
		return fmt.Sprintf("关于“%s”：%s。%s。（本回答由模拟器生成。）", clip(subject, 40),
			pick(n, "先明确目标，再把它拆成几个小步骤", "最重要的是从具体的例子出发", "可以从背景、方法和结果三方面来看"),
			pick(n/3, "完成每一步后检查结果，再继续下一步", "遇到不确定的地方，先做小规模的试验", "把结论写下来，便于以后改进"))
	default:
		return fmt.Sprintf("On \"%s\": %s. %s. (This answer was written by a simulator.)", clip(subject, 80),
			pick(n, "start from the goal and split it into small steps", "a concrete example is the best place to begin", "it helps to look at background, method and outcome in turn"),
			pick(n/3, "Check each step before taking the next", "Where you are unsure, try it at a small scale first", "Write down what you conclude so that it can be improved later"))
	}
}

// aboutPrompts reports whether a drawing prompt is to be written or improved.
func aboutPrompts(text string) bool {
	for _, word := range []string{"提示词", "绘画", "润色", "画面描述"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	if !strings.Contains(text, "prompt") {
		return false
	}
	for _, word := range []string{"improve", "enhance", "rewrite", "expand", "drawing", "image", "picture", "polish", "write"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// subjectOf takes the instruction off a question such as "Improve this prompt: …".
func subjectOf(question string) string {
	for _, mark := range []string{":", "："} {
		if before, after, found := strings.Cut(question, mark); found && len(before) < 120 && strings.TrimSpace(after) != "" {
			question = after
			break
		}
	}
	return strings.Trim(strings.Join(strings.Fields(question), " "), " \"'“”.。")
}

func pick(n uint64, choices ...string) string { return choices[n%uint64(len(choices))] }

func upperFirst(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}

// clip shortens text to a number of characters.
func clip(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}

// pieces splits an answer as a model streams it: by words, or by characters
// where there are no spaces.
func pieces(text string) []string {
	var out []string
	var current strings.Builder
	flush := func() {
		if current.Len() > 0 {
			out = append(out, current.String())
			current.Reset()
		}
	}
	for _, r := range text {
		if unicode.Is(unicode.Han, r) || r == ' ' {
			flush()
		}
		current.WriteRune(r)
	}
	flush()
	return out
}
