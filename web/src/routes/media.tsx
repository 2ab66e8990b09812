import { ImageOff } from "lucide-react";
import { useState } from "react";
import { cx } from "../components/cx";
import { useI18n } from "../i18n";

interface MediaProps {
  url: string;
  contentType: string;
  alt: string;
  className?: string;
  /** A small picture in a grid: videos do not play by themselves and have no controls. */
  thumbnail?: boolean;
}

/** A produced picture or video. */
export function Media({ url, contentType, alt, className, thumbnail = false }: MediaProps) {
  const { t } = useI18n();
  const [broken, setBroken] = useState("");
  if (broken === url) {
    return (
      <div className={cx("flex aspect-square items-center justify-center gap-2 bg-sunken text-xs text-ink-3", className)}>
        <ImageOff aria-hidden className="size-4" />
        {t("media.gone")}
      </div>
    );
  }
  const shared = { src: url, className: cx("bg-sunken object-contain", className), onError: () => setBroken(url) };
  if (contentType.startsWith("video/")) {
    return (
      // What providers draw has no sound track to caption; it is muted for those that have one.
      <video {...shared} aria-label={alt} muted loop playsInline controls={!thumbnail} preload="metadata" autoPlay={!thumbnail} />
    );
  }
  return <img {...shared} alt={alt} loading="lazy" decoding="async" />;
}
