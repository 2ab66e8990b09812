package assets

import (
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// measure fills in width, height and duration of an object whose content type
// is known. It reads headers and never decodes pixels, so a picture that unpacks
// to gigabytes costs nothing. A file whose structure is damaged is
// ErrContentType; one that is sound but of a variant unknown here keeps zeros,
// because refusing it would throw away a result that was paid for.
func measure(file *io.SectionReader, object *Object) error {
	var err error
	switch object.ContentType {
	case typePNG:
		err = measureImage(file, png.DecodeConfig, object)
	case typeJPEG:
		err = measureImage(file, jpeg.DecodeConfig, object)
	case typeGIF:
		err = measureImage(file, gif.DecodeConfig, object)
	case typeWebP:
		err = measureImage(file, webp.DecodeConfig, object)
	case typeAVIF:
		err = measureAVIF(file, object)
	case typeMP4, typeQuickTime:
		err = measureMovie(file, object)
	}
	if err != nil {
		return fmt.Errorf("%w: damaged %s: %w", ErrContentType, object.ContentType, err)
	}
	return nil
}

func measureImage(file io.Reader, decode func(io.Reader) (image.Config, error), object *Object) error {
	config, err := decode(file)
	if err != nil {
		_, oddPNG := errors.AsType[png.UnsupportedError](err)
		_, oddJPEG := errors.AsType[jpeg.UnsupportedError](err)
		if oddPNG || oddJPEG {
			return nil
		}
		return err
	}
	object.Width, object.Height = config.Width, config.Height
	return nil
}
