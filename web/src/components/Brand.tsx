/** The lunch tin: three stacked boxes and the clasp that carries them. */
export function Mark({ className = 'size-8' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <rect width="32" height="32" rx="9" className="fill-brand" />
      <g className="fill-on-brand">
        <path d="M12 4.8h8a2 2 0 0 1 2 2V9h-2.2V7h-7.6v2H10V6.8a2 2 0 0 1 2-2z" />
        <rect x="7" y="10" width="18" height="4.6" rx="1.6" />
        <rect x="7" y="16" width="18" height="4.6" rx="1.6" opacity=".86" />
        <rect x="7" y="22" width="18" height="5" rx="1.6" opacity=".72" />
      </g>
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="flex items-center gap-2.5">
      <Mark />
      <span className="font-display text-[22px] leading-none font-extrabold tracking-tight">Tiffin</span>
    </span>
  );
}
