import { useFormat } from "../components/format";
import { useI18n } from "../i18n";
import type { Balance } from "../services/accounts";

/** What was granted, split into what is left, held and spent. */
export function BalanceBar({ balance, className }: { balance: Balance; className?: string }) {
  const { t } = useI18n();
  const format = useFormat();
  const whole = Math.max(1, balance.granted);
  const parts = [
    { value: balance.spent, color: "var(--chart-8)", label: t("balance.spent") },
    { value: balance.reserved, color: "var(--warn)", label: t("balance.reserved") },
    { value: balance.available, color: "var(--good)", label: t("balance.available") },
  ];
  const text = parts.map((part) => `${part.label}: ${format.whole(part.value)}`).join(", ");
  return (
    <svg role="img" aria-label={text} viewBox="0 0 1000 10" preserveAspectRatio="none" className={className ?? "h-2 w-full rounded-full"}>
      <title>{text}</title>
      <rect width="1000" height="10" fill="var(--line)" />
      {parts.map((part, i) => (
        <rect
          key={part.label}
          x={(parts.slice(0, i).reduce((sum, p) => sum + p.value, 0) / whole) * 1000}
          width={(part.value / whole) * 1000}
          height="10"
          fill={part.color}
        />
      ))}
    </svg>
  );
}
