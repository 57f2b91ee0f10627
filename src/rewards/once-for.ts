/**
 * Makes what a task's data describe once for equal data: many tasks of a set bring the same schema or tools.
 * @param limit how many results are kept
 */
export function onceFor<T>(
  limit: number,
  make: (data: unknown, taskId: string) => T,
): (data: unknown, taskId: string) => T {
  const kept = new Map<string, { readonly made: T }>();
  return (data, taskId) => {
    const key = JSON.stringify(data);
    const known = kept.get(key);
    if (known) return known.made;
    const made = make(data, taskId);
    if (kept.size >= limit) kept.clear();
    kept.set(key, { made });
    return made;
  };
}
