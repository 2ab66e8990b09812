import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DragEndEvent,
  type UniqueIdentifier,
} from "@dnd-kit/core";
import { arrayMove, SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cx } from "../components/cx";
import { KindIcon } from "../components/badge";
import { describe } from "../components/states";
import { say } from "../components/toast";
import { useI18n } from "../i18n";
import { configKeys, reorderConfigs, type Config, type Kind } from "../services/configs";
import type { Health } from "../services/health";
import { ConfigRow } from "./config-row";
import { useIsAdmin } from "./session";

interface SectionProps {
  kind: Kind;
  configs: readonly Config[];
  health: ReadonlyMap<string, Health>;
  onEdit: (id: string) => void;
}

const head = "sticky top-(--head) z-10 h-8 border-b border-line bg-sunken px-2.5 text-left text-xs font-medium whitespace-nowrap text-ink-3";

/** The configs of one kind. Rows are put in order by dragging, or with the keyboard. */
export function ConfigSection({ kind, configs, health, onEdit }: SectionProps) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const client = useQueryClient();
  const ids = configs.map((config) => config.id);
  const nameOf = (id: UniqueIdentifier) => configs.find((config) => config.id === id)?.name ?? "";
  const place = (id: UniqueIdentifier) => ids.indexOf(String(id)) + 1;

  const reorder = useMutation({
    mutationFn: (next: string[]) => reorderConfigs(kind, next),
    // The rows move at once; a refusal puts them back.
    onMutate: async (next) => {
      await client.cancelQueries({ queryKey: configKeys.all });
      const before = client.getQueryData<Config[]>(configKeys.all);
      client.setQueryData<Config[]>(configKeys.all, (all) =>
        all && [...all].sort((a, b) => (a.kind === kind && b.kind === kind ? next.indexOf(a.id) - next.indexOf(b.id) : 0)),
      );
      return { before };
    },
    onError: (error, _, context) => {
      if (context?.before) client.setQueryData(configKeys.all, context.before);
      say(describe(error, t), true);
    },
    onSuccess: () => say(t("configs.reordered")),
    onSettled: () => client.invalidateQueries({ queryKey: configKeys.all }),
  });

  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const announcements: Announcements = {
    onDragStart: ({ active }) => t("dnd.lifted", { name: nameOf(active.id), place: place(active.id), of: ids.length }),
    onDragOver: ({ active, over }) => over ? t("dnd.over", { name: nameOf(active.id), place: place(over.id), of: ids.length }) : undefined,
    onDragEnd: ({ active, over }) => over ? t("dnd.dropped", { name: nameOf(active.id), place: place(over.id), of: ids.length }) : undefined,
    onDragCancel: ({ active }) => t("dnd.canceled", { name: nameOf(active.id) }),
  };
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over === null || active.id === over.id) return;
    reorder.mutate(arrayMove(ids, ids.indexOf(String(active.id)), ids.indexOf(String(over.id))));
  };

  const heading = `configs-${kind}`;
  return (
    <section aria-labelledby={heading} className="card">
      <header className="flex items-center gap-2 px-4 py-2.5">
        <KindIcon kind={kind} className="text-ink-3" />
        <h2 id={heading} className="font-semibold">
          {t(`kind.${kind}`)}
        </h2>
        <span className="text-xs text-ink-3">{t("configs.order")}</span>
      </header>
      <DndContext
        sensors={sensors}
        collisionDetection={closestCenter}
        onDragEnd={onDragEnd}
        accessibility={{ announcements, screenReaderInstructions: { draggable: t("dnd.how") } }}
      >
        <SortableContext items={ids} strategy={verticalListSortingStrategy}>
          <table role="table" aria-labelledby={heading} className="w-full border-separate border-spacing-0 max-sm:block lg:table-fixed">
            <thead role="rowgroup" className="max-sm:hidden">
              <tr role="row">
                <th role="columnheader" className={cx(head, "w-[4.5rem] border-t")}>
                  <span className="sr-only">{t("field.priority")}</span>
                </th>
                <th role="columnheader" className={cx(head, "w-[26%] border-t")}>{t("field.name")}</th>
                <th role="columnheader" className={cx(head, "w-[7.5rem] border-t")}>{t("field.health")}</th>
                <th role="columnheader" className={cx(head, "border-t max-lg:hidden")}>{t("field.upstream")}</th>
                <th role="columnheader" className={cx(head, "w-24 border-t")}>{t("field.key")}</th>
                <th role="columnheader" className={cx(head, "w-36 border-t max-xl:hidden")}>{t("field.limits")}</th>
                <th role="columnheader" className={cx(head, "w-20 border-t")}>{t("field.enabled")}</th>
                <th role="columnheader" className={cx(head, "w-32 border-t")}>
                  <span className="sr-only">{t("field.actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup" className="max-sm:block">
              {configs.map((config, i) => (
                <ConfigRow
                  key={config.id}
                  config={config}
                  place={i + 1}
                  health={health.get(config.id)}
                  admin={admin}
                  onEdit={() => onEdit(config.id)}
                />
              ))}
            </tbody>
          </table>
        </SortableContext>
      </DndContext>
    </section>
  );
}
