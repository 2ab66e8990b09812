import type { UseInfiniteQueryResult, InfiniteData } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { Fragment, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import type { Page } from "../services/zod";
import { Button } from "./button";
import { cx } from "./cx";
import { ErrorState, Skeleton } from "./states";

/** One column of a table. */
export interface Column<T> {
  header: string;
  cell: (row: T) => ReactNode;
  end?: boolean;
  /** Left out on screens narrower than this; phones show every column, as a card. */
  from?: "lg" | "xl" | "2xl";
  className?: string;
  /** The heading is only for screen readers. */
  quiet?: boolean;
}

const froms = { lg: "sm:max-lg:hidden", xl: "sm:max-xl:hidden", "2xl": "sm:max-2xl:hidden" } as const;

interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  /** Shown below a row when it is opened. */
  detail?: (row: T) => ReactNode;
  dim?: (row: T) => boolean;
}

const headCell =
  "sticky top-(--head) z-10 h-8 border-b border-line bg-sunken px-3 text-left text-xs font-medium whitespace-nowrap text-ink-3 first:rounded-tl-[9px] last:rounded-tr-[9px]";
const bodyCell = cx(
  "px-3 py-2 align-middle",
  "max-sm:flex max-sm:justify-between max-sm:gap-4 max-sm:px-4 max-sm:py-1 max-sm:text-right max-sm:before:shrink-0 max-sm:before:text-ink-3 max-sm:before:content-[attr(data-label)] max-sm:empty:hidden max-sm:[&>*]:min-w-0",
);
/** The classes of a table's row; a card on phones. */
export const rowLook = "group/row hover:bg-hover max-sm:block max-sm:py-2.5 [&:not(:last-child)>td]:border-b [&:last-child>td:first-child]:rounded-bl-[9px] [&:last-child>td:last-child]:rounded-br-[9px] [&>td]:border-line max-sm:[&>td]:border-0! max-sm:[&:not(:last-child)]:border-b border-line";

/** A dense table with a heading that stays in sight; on phones each row is a card. */
export function Table<T>({ label, columns, rows, rowKey, detail, dim }: TableProps<T>) {
  const { t } = useI18n();
  const [open, setOpen] = useState<string>();
  const look = (column: Column<T>) => cx(column.end && "text-right whitespace-nowrap", column.from && froms[column.from], column.className);
  return (
    <table aria-label={label} aria-busy={rows === undefined} role="table" className="w-full border-separate border-spacing-0 max-sm:block">
      <thead role="rowgroup" className="max-sm:hidden">
        <tr role="row">
          {detail && (
            <th role="columnheader" className={cx(headCell, "w-8")}>
              <span className="sr-only">{t("table.details")}</span>
            </th>
          )}
          {columns.map((column) => (
            <th key={column.header} role="columnheader" scope="col" className={cx(headCell, look(column))}>
              {column.quiet ? <span className="sr-only">{column.header}</span> : column.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" className="max-sm:block">
        {rows === undefined
          ? Array.from({ length: 6 }, (_, i) => (
              <tr key={i} role="row">
                {detail && <td role="cell" className={bodyCell} />}
                {columns.map((column, at) => (
                  <td key={column.header} role="cell" className={cx(bodyCell, look(column))}>
                    <Skeleton className={at === 0 ? "w-32" : "w-16"} />
                  </td>
                ))}
              </tr>
            ))
          : rows.map((row) => {
              const key = rowKey(row);
              const shown = open === key;
              return (
                <Fragment key={key}>
                  <tr role="row" className={cx(rowLook, dim?.(row) && "text-ink-3", shown && "bg-hover")}>
                    {detail && (
                      <td role="cell" className="py-2 pl-3 align-middle max-sm:block max-sm:px-3 max-sm:py-0.5">
                        <button
                          type="button"
                          aria-expanded={shown}
                          onClick={() => setOpen(shown ? undefined : key)}
                          className="-m-1 inline-flex min-h-6 min-w-6 items-center justify-center gap-1 rounded text-xs text-ink-3 hover:bg-line hover:text-ink max-sm:px-1 pointer-coarse:min-h-9"
                        >
                          <ChevronRight aria-hidden className={cx("size-3.5 transition-transform", shown && "rotate-90")} />
                          <span className="sm:sr-only">{t("table.details")}</span>
                        </button>
                      </td>
                    )}
                    {columns.map((column) => (
                      <td key={column.header} role="cell" data-label={column.quiet ? "" : column.header} className={cx(bodyCell, look(column))}>
                        {column.cell(row)}
                      </td>
                    ))}
                  </tr>
                  {detail && shown && (
                    <tr role="row" className="max-sm:block">
                      <td role="cell" colSpan={columns.length + 1} className="max-w-0 border-b border-line bg-sunken px-4 py-3 max-sm:block max-sm:max-w-full">
                        {detail(row)}
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
      </tbody>
    </table>
  );
}

interface ListProps<T> extends Omit<TableProps<T>, "rows"> {
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
  /** What to show when there is nothing. */
  empty: ReactNode;
  /** Says something else than a table about the rows, such as a gallery. */
  view?: (rows: readonly T[]) => ReactNode;
}

/** A list that comes page by page, with its loading, empty and error states. */
export function PagedTable<T>({ query, empty, view, ...table }: ListProps<T>) {
  const { t } = useI18n();
  if (query.isError && !query.data) {
    return (
      <div className="card">
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  const rows = query.data?.pages.flatMap((page) => page.items);
  if (rows?.length === 0 && !query.hasNextPage) return <div className="card">{empty}</div>;
  return (
    <div className="flex flex-col gap-3">
      {view && rows ? view(rows) : <div className="card">{<Table {...table} rows={rows} />}</div>}
      <div className="flex items-center justify-between gap-3 text-xs text-ink-3">
        <span role="status">{rows ? t("table.shown", { count: rows.length }) : t("state.loading")}</span>
        {query.hasNextPage && (
          <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("table.more")}
          </Button>
        )}
      </div>
    </div>
  );
}
