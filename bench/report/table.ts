import { SYSTEMS, type SystemId } from '../systems/system.ts'
import type { Figure, Figures } from './figures.ts'

/** The figures as rows and the systems that have any as columns, with Holdpoint's share of bare and of plain. */
export function figuresTable(figures: Figures, rows: readonly Figure[]): string {
  const systems = (Object.keys(SYSTEMS) as SystemId[]).filter((system) =>
    rows.some((figure) => figures.median(figure, system) !== undefined),
  )
  const peers = (['bare', 'plain'] as const).filter(
    (peer) => systems.includes('holdpoint') && systems.includes(peer),
  )
  const header = [
    '',
    ...systems.map((system) => SYSTEMS[system]),
    ...peers.map((peer) => `÷ ${peer}`),
  ]
  const lines = rows.map((figure) => [
    figure.unit ? `${figure.name} (${figure.unit})` : figure.name,
    ...systems.map((system) => printed(figures.median(figure, system))),
    ...peers.map((peer) => printed(share(figures, figure, peer))),
  ])
  return alignColumns([header, ...lines])
}

function share(figures: Figures, figure: Figure, peer: SystemId): number | undefined {
  const [ours, theirs] = [figures.median(figure, 'holdpoint'), figures.median(figure, peer)]
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

/** Three significant digits; a dash where nothing was measured. */
export function printed(value: number | undefined): string {
  if (value === undefined) return '–'
  if (Number.isNaN(value)) return 'overloaded'
  if (value === Infinity) return 'never'
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0)
  return value.toPrecision(value < 1 ? 2 : 3)
}

/** The first column to the left, the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}
