import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";

/** A menu that opens from its trigger. */
export function Menu({ trigger, children, align = "end" }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" }) {
  return (
    // A modal menu locks scrolling with a style element, which the page's policy forbids.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 animate-pop overflow-y-auto rounded-lg border border-line bg-surface p-1 shadow-pop"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface ItemProps {
  onSelect: () => void;
  icon?: ReactNode;
  children: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  checked?: boolean;
}

/** One action of a menu. */
export function MenuItem({ onSelect, icon, children, danger = false, disabled = false, checked }: ItemProps) {
  return (
    <DropdownMenu.Item
      disabled={disabled}
      onSelect={onSelect}
      {...(checked === undefined ? {} : { role: "menuitemradio", "aria-checked": checked })}
      className={cx(
        "flex min-h-7 items-center gap-2 rounded-md px-2 py-1 outline-none select-none data-[disabled]:opacity-45 data-[highlighted]:bg-hover pointer-coarse:min-h-10",
        danger ? "text-bad-ink" : "text-ink",
        checked && "font-semibold",
      )}
    >
      <span className="flex w-4 justify-center text-ink-3 [&_svg]:size-3.5">{icon}</span>
      {children}
    </DropdownMenu.Item>
  );
}

/** A line between groups of actions. */
export const MenuLine = () => <DropdownMenu.Separator className="my-1 h-px bg-line" />;

/** A heading inside a menu. */
export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <DropdownMenu.Label className="px-2 py-1 text-2xs font-medium text-ink-3">{children}</DropdownMenu.Label>
);
