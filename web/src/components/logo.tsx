/** The mark: a picture on an easel. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className={className ?? "size-6"}>
      <rect width="32" height="32" rx="8" fill="#4338ca" />
      <path d="M16 4.5v4M9.5 27.5 16 8l6.5 19.5M16 21v4" stroke="#c7d2fe" strokeWidth="2" strokeLinecap="round" fill="none" />
      <rect x="7.5" y="9" width="17" height="11.5" rx="1.5" fill="#fff" />
      <path d="m9.5 18.5 4.2-5 3 3.3 2-2 3.8 3.7z" fill="#4338ca" />
      <circle cx="19.8" cy="12.3" r="1.5" fill="#f59e0b" />
    </svg>
  );
}
