package catalog

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	sizeForm  = regexp.MustCompile(`^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$`)
	ratioForm = regexp.MustCompile(`^([1-9][0-9]{0,3}):([1-9][0-9]{0,3})$`)
)

// ratioTolerance is how far a size may be from a ratio to have it.
const ratioTolerance = 0.03

// size checks size and aspect_ratio.
func (c *checker) size() {
	r, l := c.request, c.model.Limits
	if l.ImageSetsShape && r.Image != "" {
		c.want(r.Size == "", "size", "must not come with image, whose shape the result has,")
		c.want(r.AspectRatio == "", "aspect_ratio", "must not come with image, whose shape the result has,")
		return
	}
	shapes, note := Shapes{l.Sizes, l.AspectRatios}, ""
	if l.WithoutImage != nil && r.Image == "" {
		shapes, note = *l.WithoutImage, " without image"
	}
	if r.Size != "" && !slices.Contains(shapes.Sizes, r.Size) {
		c.sides(shapes, note)
	}
	if r.AspectRatio == "" {
		return
	}
	if len(shapes.AspectRatios) > 0 {
		c.want(slices.Contains(shapes.AspectRatios, r.AspectRatio), "aspect_ratio", "must be %s%s", oneOf(shapes.AspectRatios), note)
		return
	}
	width, height, ok := pair(ratioForm, r.AspectRatio)
	c.want(ok, "aspect_ratio", "must have the form W:H, such as 16:9,")
	c.ratio("aspect_ratio", width, height)
}

// sides checks a size that the model does not list.
func (c *checker) sides(shapes Shapes, note string) {
	l := c.model.Limits
	if len(shapes.Sizes) > 0 {
		c.want(false, "size", "must be %s%s", oneOf(shapes.Sizes), note)
		return
	}
	width, height, ok := pair(sizeForm, c.request.Size)
	if !ok {
		c.want(false, "size", "must have the form WIDTHxHEIGHT in pixels, such as 1024x1024,")
		return
	}
	low, high := max(l.MinSide, 1), maxSide
	if l.MaxSide > 0 {
		high = l.MaxSide
	}
	c.want(min(width, height) >= low && max(width, height) <= high, "size", "must have sides of %d to %d pixels", low, high)
	if k := l.SideMultiple; k > 1 {
		c.want(width%k == 0 && height%k == 0, "size", "must have sides that are multiples of %d", k)
	}
	c.want(width*height >= l.MinPixels, "size", "must have at least %d pixels in all", l.MinPixels)
	c.want(l.MaxPixels == 0 || width*height <= l.MaxPixels, "size", "must have at most %d pixels in all", l.MaxPixels)
	c.ratio("size", width, height)
	if l.SizeByRatio {
		c.want(slices.ContainsFunc(shapes.AspectRatios, func(ratio string) bool {
			a, b, _ := pair(ratioForm, ratio)
			return math.Abs(float64(width)*float64(b)/(float64(height)*float64(a))-1) <= ratioTolerance
		}), "size", "must have the ratio %s%s", oneOf(shapes.AspectRatios), note)
	}
}

// ratio checks how much longer one side is than the other.
func (c *checker) ratio(field string, width, height int) {
	most := c.model.Limits.MaxRatio
	c.want(most == 0 || max(width, height) <= most*min(width, height), field, "must not be longer than %d:1", most)
}

// pair reads two numbers; ok is false where the text has another form.
func pair(form *regexp.Regexp, text string) (a, b int, ok bool) {
	parts := form.FindStringSubmatch(text)
	if parts == nil {
		return 0, 0, false
	}
	a, _ = strconv.Atoi(parts[1]) // at most five digits
	b, _ = strconv.Atoi(parts[2])
	return a, b, true
}

// oneOf lists what is allowed in words.
func oneOf(allowed []string) string {
	last := len(allowed) - 1
	switch {
	case last < 0:
		return "nothing"
	case last == 0:
		return allowed[0]
	case last > 3:
		return "one of " + strings.Join(allowed, ", ")
	default:
		return strings.Join(allowed[:last], ", ") + " or " + allowed[last]
	}
}
