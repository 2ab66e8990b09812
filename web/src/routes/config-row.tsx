import { useSortable } from "@dnd-kit/sortable";
import { Copy, Ellipsis, Eye, FlaskConical, GripVertical, KeyRound, Pencil, RotateCcw, Star, Trash2, Zap } from "lucide-react";
import { useState } from "react";
import { onceKey, useAction } from "../components/action";
import { Badge, Dot, toneOf } from "../components/badge";
import { Button, IconButton } from "../components/button";
import { cx } from "../components/cx";
import { Switch } from "../components/field";
import { useFormat } from "../components/format";
import { Menu, MenuItem, MenuLine } from "../components/menu";
import { Confirm } from "../components/overlay";
import { rowLook } from "../components/table";
import { Tip } from "../components/tooltip";
import { lookUp, useI18n } from "../i18n";
import { configKeys, deleteConfig, duplicateConfig, patchConfig, resetConfig, type Config } from "../services/configs";
import { healthKeys, type Health } from "../services/health";
import { FaultBadge, FaultDialog } from "./fault-dialog";
import { KeyDialog, RevealDialog } from "./key-dialogs";
import { useSession } from "./session";
import { TestDialog } from "./config-test";

interface RowProps {
  config: Config;
  place: number;
  health: Health | undefined;
  admin: boolean;
  onEdit: () => void;
}

type Open = "test" | "key" | "reveal" | "delete" | "fault";

/** Moves a row by a transform that CSS understands; scaling is never wanted. */
const moved = (transform: { x: number; y: number } | null) =>
  transform ? `translate3d(${Math.round(transform.x)}px, ${Math.round(transform.y)}px, 0)` : undefined;

/** One config, with everything that is done to it. */
export function ConfigRow({ config, place, health, admin, onEdit }: RowProps) {
  const { t } = useI18n();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id: config.id,
    disabled: !admin,
  });
  const [open, setOpen] = useState<Open>();
  const toggle = useAction({
    run: (active: boolean) => patchConfig(config.id, { active }, config.version),
    touches: [configKeys.all, healthKeys.all],
  });
  const close = () => setOpen(undefined);
  const cell = "px-2.5 py-2 max-sm:p-0";
  return (
    <tr
      ref={setNodeRef}
      role="row"
      data-config={config.name}
      style={{ transform: moved(transform), transition: transition ?? undefined }}
      className={cx(rowLook, "bg-surface max-sm:grid! max-sm:grid-cols-[auto_minmax(0,1fr)_auto] max-sm:items-center max-sm:gap-x-2 max-sm:gap-y-1.5 max-sm:px-3", !config.active && "text-ink-3", isDragging && "relative z-20 shadow-pop")}
    >
      <td role="cell" className={cx(cell, "whitespace-nowrap")}>
        <span className="inline-flex items-center gap-1">
          {admin && (
            <button
              ref={setActivatorNodeRef}
              type="button"
              {...attributes}
              {...listeners}
              aria-label={t("configs.move", { name: config.name })}
              className="inline-flex size-6 cursor-grab touch-none items-center justify-center rounded text-ink-3 hover:bg-line hover:text-ink active:cursor-grabbing pointer-coarse:size-10"
            >
              <GripVertical aria-hidden className="size-4" />
            </button>
          )}
          <span className="num w-5 text-center text-xs text-ink-3">{place}</span>
        </span>
      </td>
      <td role="cell" className={cell}>
        <div className="flex min-w-0 flex-col">
          <span className="flex flex-wrap items-center gap-1.5">
            <button type="button" onClick={onEdit} className={cx("rounded text-left font-medium hover:underline", config.active ? "text-ink" : "text-ink-2")}>
              {config.name}
            </button>
            {config.default && <Badge tone="info">{t("field.default")}</Badge>}
            {config.simulated && <Badge>{t("configs.simulated")}</Badge>}
            {config.simulated && <FaultBadge provider={config.provider} onOpen={() => setOpen("fault")} />}
          </span>
          <span className="text-xs text-ink-3">{config.provider}</span>
        </div>
      </td>
      <td role="cell" className={cx(cell, "max-sm:col-start-2 max-sm:row-start-2")}>
        <HealthCell config={config} health={health} />
      </td>
      <td role="cell" className={cx(cell, "max-lg:hidden")}>
        <div className="truncate font-mono text-xs" title={config.model}>
          {config.model || "–"}
        </div>
        <div className="truncate text-xs text-ink-3" title={config.baseUrl + config.endpoint}>
          {config.baseUrl.replace(/^https?:\/\//, "")}
          {config.endpoint}
        </div>
      </td>
      <td role="cell" className={cx(cell, "whitespace-nowrap max-sm:hidden")}>
        {config.keyMask ? (
          <code className="font-mono text-xs">{config.keyMask}</code>
        ) : config.simulated ? (
          <span className="text-xs text-ink-3">{t("configs.noKeyNeeded")}</span>
        ) : (
          <Badge tone="warn">{t("configs.noKey")}</Badge>
        )}
      </td>
      <td role="cell" className={cx(cell, "text-xs whitespace-nowrap text-ink-2 max-xl:hidden")}>
        <Limits config={config} health={health} />
      </td>
      <td role="cell" className={cx(cell, "max-sm:col-start-3 max-sm:row-start-1 max-sm:justify-self-end")}>
        <Switch
          checked={toggle.isPending ? toggle.variables : config.active}
          disabled={!admin || toggle.isPending}
          onChange={(active) => toggle.mutate(active)}
          label={t("configs.enable", { name: config.name })}
        />
      </td>
      <td role="cell" className={cx(cell, "max-sm:col-start-3 max-sm:row-start-2")}>
        {admin && (
          <div className="flex items-center justify-end gap-0.5">
            <Button small look="ghost" icon={<Zap aria-hidden className="size-3.5" />} onClick={() => setOpen("test")}>
              {t("action.test")}
            </Button>
            <RowMenu config={config} health={health} onOpen={setOpen} onEdit={onEdit} />
          </div>
        )}
        {open === "test" && <TestDialog config={config} onClose={close} />}
        {open === "key" && <KeyDialog config={config} onClose={close} />}
        {open === "reveal" && <RevealDialog config={config} onClose={close} />}
        {open === "fault" && <FaultDialog provider={config.provider} onClose={close} />}
        {open === "delete" && <DeleteDialog config={config} onClose={close} />}
      </td>
    </tr>
  );
}

function RowMenu({ config, health, onOpen, onEdit }: { config: Config; health: Health | undefined; onOpen: (what: Open) => void; onEdit: () => void }) {
  const { t } = useI18n();
  const session = useSession();
  const duplicate = useAction({
    run: () => duplicateConfig(config.id, t("configs.copyOf", { name: config.name }), onceKey()),
    touches: [configKeys.all],
    done: t("configs.duplicated"),
  });
  const makeDefault = useAction({
    run: () => patchConfig(config.id, { default: !config.default }, config.version),
    touches: [configKeys.all],
    done: t("configs.saved"),
  });
  const reset = useAction({ run: () => resetConfig(config.id), touches: [healthKeys.all], done: t("configs.resetDone") });
  const troubled = health !== undefined && ["degraded", "cooling", "down"].includes(health.state);
  return (
    <Menu
      trigger={
        <IconButton label={t("configs.actionsOf", { name: config.name })}>
          <Ellipsis aria-hidden className="size-4" />
        </IconButton>
      }
    >
      <MenuItem icon={<Pencil />} onSelect={onEdit}>
        {t("action.edit")}
      </MenuItem>
      <MenuItem icon={<Copy />} onSelect={() => duplicate.mutate()}>
        {t("action.duplicate")}
      </MenuItem>
      <MenuItem icon={<Star />} onSelect={() => makeDefault.mutate()}>
        {config.default ? t("configs.unmakeDefault") : t("configs.makeDefault")}
      </MenuItem>
      <MenuItem icon={<KeyRound />} onSelect={() => onOpen("key")}>
        {t("configs.replaceKey")}
      </MenuItem>
      {troubled && (
        <MenuItem icon={<RotateCcw />} onSelect={() => reset.mutate()}>
          {t("configs.reset")}
        </MenuItem>
      )}
      {session.canReveal && config.keyMask !== "" && (
        <MenuItem icon={<Eye />} onSelect={() => onOpen("reveal")}>
          {t("configs.reveal")}
        </MenuItem>
      )}
      {session.canSimulate && config.simulated && (
        <>
          <MenuLine />
          <MenuItem icon={<FlaskConical />} onSelect={() => onOpen("fault")}>
            {t("simulator.switch")}
          </MenuItem>
        </>
      )}
      <MenuLine />
      <MenuItem danger icon={<Trash2 />} onSelect={() => onOpen("delete")}>
        {t("action.delete")}
      </MenuItem>
    </Menu>
  );
}

function DeleteDialog({ config, onClose }: { config: Config; onClose: () => void }) {
  const { t } = useI18n();
  const remove = useAction({
    run: () => deleteConfig(config.id, config.version),
    touches: [configKeys.all, healthKeys.all],
    done: t("configs.deleted"),
    quiet: true,
    onDone: onClose,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("configs.deleteTitle", { name: config.name })}
      action={t("action.delete")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
    >
      {t("configs.deleteText")}
    </Confirm>
  );
}

function HealthCell({ config, health }: { config: Config; health: Health | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  const state = config.active ? (health?.state ?? "unknown") : "inactive";
  const tone = state === "unknown" ? "idle" : toneOf(state);
  const error = health?.lastError;
  const lines = [
    health?.since && t("health.since", { when: format.relative(health.since) }),
    health?.readyAt && health.readyAt > new Date() && t("health.ready", { when: format.relative(health.readyAt) }),
    health && health.breaker !== "closed" && t("health.breaker", { state: lookUp(t, `breaker.${health.breaker}`, health.breaker) }),
    error && `${lookUp(t, `fault.${error.class}`, error.class)}: ${error.detail || error.message}`,
  ].filter(Boolean);
  const shown = (
    <span className="inline-flex items-center gap-1.5 text-xs whitespace-nowrap">
      <Dot tone={tone} />
      {t(`health.${state}`)}
    </span>
  );
  if (lines.length === 0) return shown;
  return (
    <Tip text={<span className="whitespace-pre-line">{lines.join("\n")}</span>}>
      <button type="button" className="cursor-help rounded">
        {shown}
      </button>
    </Tip>
  );
}

function Limits({ config, health }: { config: Config; health: Health | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <>
      {config.ratePerMinute === 0 && config.concurrency === 0 && <div>{t("configs.unlimited")}</div>}
      {config.ratePerMinute > 0 && (
        <div className="num">
          {health?.rate ? `${format.whole(health.rate.used)} / ` : ""}
          {t("configs.perMinute", { count: format.whole(config.ratePerMinute) })}
        </div>
      )}
      {config.concurrency > 0 && (
        <div className="num">
          {health?.concurrency ? `${format.whole(health.concurrency.inUse)} / ` : ""}
          {t("configs.atOnce", { count: format.whole(config.concurrency) })}
        </div>
      )}
      <div className="num text-ink-3">{t("configs.patience", { seconds: config.timeoutSeconds, retries: config.maxRetries })}</div>
    </>
  );
}
