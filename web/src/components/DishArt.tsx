/** Pictures of food drawn as shapes: no photographs to load, none to mistake for the real plate. */

const FIGURES = {
  tiffin: (
    <>
      <path d="M36 20h28a6 6 0 0 1 6 6v10h-6v-8a2 2 0 0 0-2-2H38a2 2 0 0 0-2 2v8h-6V26a6 6 0 0 1 6-6z" />
      <rect x="24" y="38" width="52" height="14" rx="4" />
      <rect x="24" y="55" width="52" height="14" rx="4" opacity=".85" />
      <rect x="24" y="72" width="52" height="14" rx="4" opacity=".7" />
    </>
  ),
  taco: (
    <>
      <path d="M12 70a38 38 0 0 1 76 0z" />
      <path
        d="M20 46c4-9 10-8 12-13 5 3 9-6 15-5 5-6 10 1 15 0 3 5 9 3 11 9 5 1 7 6 8 10"
        fill="none"
        stroke="currentColor"
        strokeWidth="7"
        strokeLinecap="round"
        opacity=".55"
      />
      <circle cx="38" cy="60" r="3" opacity=".35" fill="var(--art-ground)" />
      <circle cx="54" cy="54" r="3" fill="var(--art-ground)" opacity=".5" />
      <circle cx="66" cy="62" r="3" fill="var(--art-ground)" opacity=".5" />
    </>
  ),
  bowl: (
    <>
      <path d="M12 50h76a38 34 0 0 1-26 32v4H38v-4a38 34 0 0 1-26-32z" />
      <path d="M24 44c2-10 12-14 18-8 4-8 16-8 19 0 6-4 13 0 14 8" opacity=".6" />
      <path d="M58 40L84 12M66 42L92 18" stroke="currentColor" strokeWidth="4" strokeLinecap="round" />
    </>
  ),
  pizza: (
    <>
      <path d="M50 90L14 28c22-16 50-16 72 0z" />
      <path
        d="M14 28c22-16 50-16 72 0"
        fill="none"
        stroke="currentColor"
        strokeWidth="8"
        strokeLinecap="round"
        opacity=".65"
      />
      <circle cx="40" cy="42" r="6" fill="var(--art-ground)" />
      <circle cx="60" cy="46" r="6" fill="var(--art-ground)" />
      <circle cx="50" cy="64" r="5" fill="var(--art-ground)" />
    </>
  ),
  burger: (
    <>
      <path d="M16 46c0-18 14-26 34-26s34 8 34 26z" />
      <path
        d="M14 54c6 8 12-2 18 3s12 3 18-2 12 6 18 1 12-2 18-2"
        fill="none"
        stroke="currentColor"
        strokeWidth="5"
        strokeLinecap="round"
        opacity=".6"
      />
      <rect x="16" y="60" width="68" height="9" rx="4" opacity=".8" />
      <path d="M16 73h68v4a8 8 0 0 1-8 8H24a8 8 0 0 1-8-8z" />
      <g fill="var(--art-ground)">
        <circle cx="38" cy="32" r="2" />
        <circle cx="52" cy="28" r="2" />
        <circle cx="64" cy="34" r="2" />
      </g>
    </>
  ),
  sushi: (
    <>
      <ellipse cx="34" cy="50" rx="22" ry="20" />
      <ellipse cx="34" cy="48" rx="15" ry="13" fill="var(--art-ground)" />
      <circle cx="34" cy="48" r="6" />
      <path d="M60 46c0-10 30-10 30 0v22c0 8-30 8-30 0z" />
      <path d="M58 46c2-10 32-12 34 0-6 6-28 6-34 0z" opacity=".6" />
    </>
  ),
  fish: (
    <>
      <path d="M10 50c16-26 44-26 58 0-14 26-42 26-58 0z" />
      <path d="M64 50l24-18c-4 12-4 24 0 36z" />
      <circle cx="26" cy="46" r="3.5" fill="var(--art-ground)" />
      <path
        d="M40 38c5 8 5 16 0 24M50 40c4 7 4 13 0 20"
        stroke="var(--art-ground)"
        strokeWidth="3"
        fill="none"
        strokeLinecap="round"
      />
    </>
  ),
  cup: (
    <>
      <path d="M22 40h46v26a16 16 0 0 1-16 16H38a16 16 0 0 1-16-16z" />
      <path d="M68 46h6a9 9 0 0 1 0 20h-6" fill="none" stroke="currentColor" strokeWidth="6" />
      <path
        d="M36 32c0-6 5-6 5-12M50 32c0-6 5-6 5-12"
        stroke="currentColor"
        strokeWidth="4"
        fill="none"
        strokeLinecap="round"
        opacity=".6"
      />
    </>
  ),
  curry: (
    <>
      <path d="M8 52h84c0 20-14 32-42 32S8 72 8 52z" />
      <path d="M16 46c2-8 10-12 18-9 4-9 20-11 26-2 9-4 20 1 24 11z" opacity=".6" />
      <path d="M60 40L82 14" stroke="currentColor" strokeWidth="5" strokeLinecap="round" />
      <path
        d="M36 24c0-6 5-6 5-12M50 22c0-6 5-6 5-12"
        stroke="currentColor"
        strokeWidth="4"
        fill="none"
        strokeLinecap="round"
        opacity=".5"
      />
    </>
  ),
  leaf: (
    <>
      <path d="M18 80C14 40 40 16 84 18c2 44-22 68-62 62z" />
      <path d="M20 82c14-22 28-34 46-46" stroke="var(--art-ground)" strokeWidth="4" fill="none" strokeLinecap="round" />
    </>
  ),
} as const;

type Figure = keyof typeof FIGURES;

const CUISINES: [RegExp, Figure][] = [
  [/mexic|taco|tex|burrito|latin/i, 'taco'],
  [/ramen|noodle|pho|viet|thai|chin|korea|asian|dim|szech|poke|soup/i, 'bowl'],
  [/pizz|ital|pasta/i, 'pizza'],
  [/burger|americ|bbq|barb|grill|diner|sandwich|poutine|deli/i, 'burger'],
  [/sushi|japan/i, 'sushi'],
  [/india|curry|nepal|pakist/i, 'curry'],
  [/fish|sea|marisc|cajun|creole/i, 'fish'],
  [/coffee|caf|bak|dessert|tea|breakfast|pastr|french/i, 'cup'],
  [/vega|veggi|salad|green|health|mediterr|greek|leban|falafel/i, 'leaf'],
];

/** Which picture a cuisine gets; the house's own lunch tin for what we cannot name. */
export function figureOf(cuisine: string | undefined): Figure {
  return CUISINES.find(([pattern]) => pattern.test(cuisine ?? ''))?.[1] ?? 'tiffin';
}

/** One of six colour pairs, the same for a name on every visit. */
export function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return sum % 6;
}

/** Faint companions of the main figure: where, how large, how turned. They fill wide banners. */
const SCATTER = [
  'translate(8 58) scale(.5) rotate(-14)',
  'translate(76 -18) scale(.62) rotate(12)',
  'translate(146 56) scale(.55) rotate(8)',
  'translate(214 -22) scale(.6) rotate(-16)',
];

/** A square shows the main figure, a banner the whole row: the picture is cut from the left. */
export function DishArt({
  cuisine,
  name,
  className = '',
}: {
  cuisine?: string | undefined;
  name: string;
  className?: string;
}) {
  const figure = FIGURES[figureOf(cuisine)];
  return (
    <div className={`art art-${hueOf(name)} overflow-hidden ${className}`} aria-hidden="true">
      <svg
        viewBox="0 0 400 120"
        preserveAspectRatio="xMaxYMid slice"
        className="size-full"
        fill="currentColor"
        aria-hidden="true"
      >
        {SCATTER.map((place) => (
          <g key={place} transform={place} opacity="0.13">
            {figure}
          </g>
        ))}
        <g transform="translate(290 10)">{figure}</g>
      </svg>
    </div>
  );
}
