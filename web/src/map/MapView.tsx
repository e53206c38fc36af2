import {
  createContext,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  use,
  useEffect,
  useRef,
  useState,
} from 'react';
import { IconButton } from '@/components/Button';
import { useConfig } from '@/context/ConfigContext';
import { useI18n } from '@/i18n/I18nContext';
import { MapEngine, type MapLine } from './engine';
import { type LngLat, metersPerPixel, type XY } from './mercator';

const MapContext = createContext<MapEngine | null>(null);

export function useMap(): MapEngine {
  const engine = use(MapContext);
  if (!engine) throw new Error('useMap outside MapView');
  return engine;
}

export interface MapViewProps {
  /** What the map is of, for those who cannot see it. */
  label: string;
  /** Places the view must show. A change of `fitKey` fits again; moves in between are the reader's. */
  fit: readonly LngLat[];
  fitKey: string;
  fitZoom?: number;
  lines?: readonly MapLine[];
  /** A tap on the map that was no drag. */
  onPick?: (at: LngLat) => void;
  className?: string;
  /** Something lies over the map's lower edge: lift the scale and the credits above it. */
  lifted?: boolean;
  children?: ReactNode;
}

const DRAG_PIXELS = 5;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-80, 0],
  ArrowRight: [80, 0],
  ArrowUp: [0, -80],
  ArrowDown: [0, 80],
};

/** A map to drag, pinch, wheel or steer by keyboard. Children are markers. */
export function MapView({
  label,
  fit,
  fitKey,
  fitZoom = 14,
  lines,
  onPick,
  className = '',
  lifted = false,
  children,
}: MapViewProps) {
  const { t } = useI18n();
  const { mapTilesUrl } = useConfig();
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [engine, setEngine] = useState<MapEngine | null>(null);
  const fitted = useRef('');

  useEffect(() => {
    if (!canvas.current || !frame.current) return;
    const made = new MapEngine(canvas.current, mapTilesUrl);
    const measure = () => {
      const box = frame.current?.getBoundingClientRect();
      if (box) made.resize({ width: Math.round(box.width), height: Math.round(box.height) });
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(frame.current);
    const theme = new MutationObserver(() => made.restyle());
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const restyle = () => made.restyle();
    dark.addEventListener('change', restyle);
    fitted.current = '';
    setEngine(made);
    return () => {
      watch.disconnect();
      theme.disconnect();
      dark.removeEventListener('change', restyle);
      made.close();
    };
  }, [mapTilesUrl]);

  useEffect(() => {
    if (!engine || fit.length === 0 || fitted.current === fitKey) return;
    fitted.current = fitKey;
    engine.fit(fit, fitZoom);
  }, [engine, fit, fitKey, fitZoom]);

  useEffect(() => {
    if (lines) engine?.setLines(lines);
  }, [engine, lines]);

  // React listens to wheel passively, and a map that also scrolls the page is no map.
  useEffect(() => {
    const element = frame.current;
    if (!element || !engine) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      engine.zoomAt(inside(element, event), -event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0025));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [engine]);

  const gestures = useGestures(engine, onPick);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || !engine) return;
    const arrow = ARROWS[event.key];
    if (arrow) engine.pan(...arrow);
    else if (event.key === '+' || event.key === '=') engine.zoomMiddle(1);
    else if (event.key === '-') engine.zoomMiddle(-1);
    else if ((event.key === 'Enter' || event.key === ' ') && onPick) onPick(engine.camera.center);
    else return;
    event.preventDefault();
  };

  return (
    <div className={`relative isolate overflow-hidden bg-map-land ${className}`}>
      <div
        ref={frame}
        role="application"
        aria-label={label}
        aria-roledescription={t('map.role')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the map
        tabIndex={0}
        className="absolute inset-0 cursor-grab touch-none select-none outline-offset-[-3px] active:cursor-grabbing"
        onKeyDown={onKeyDown}
        {...gestures}
      >
        <canvas ref={canvas} className="absolute inset-0 size-full" />
        {engine && <MapContext value={engine}>{children}</MapContext>}
      </div>
      {engine && (
        <>
          <div className="absolute top-3 right-3 flex flex-col gap-1.5">
            <IconButton icon="plus" label={t('map.zoomIn')} onClick={() => engine.zoomMiddle(1)} variant="floating" />
            <IconButton
              icon="minus"
              label={t('map.zoomOut')}
              onClick={() => engine.zoomMiddle(-1)}
              variant="floating"
            />
            {fit.length > 0 && (
              <IconButton
                icon="target"
                label={t('map.recenter')}
                onClick={() => engine.fit(fit, fitZoom)}
                variant="floating"
              />
            )}
          </div>
          <ScaleBar engine={engine} lifted={lifted} />
          <p
            className={`pointer-events-none absolute right-2 text-[10px] text-map-label ${lifted ? 'bottom-7 lg:bottom-1' : 'bottom-1'}`}
          >
            © OpenStreetMap · Natural Earth · GeoNames
          </p>
        </>
      )}
    </div>
  );
}

function inside(element: Element, event: { clientX: number; clientY: number }): XY {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

// One finger or mouse drags, two pinch, a press that stays in place picks.
function useGestures(engine: MapEngine | null, onPick?: (at: LngLat) => void) {
  const held = useRef(new Map<number, XY>());
  const moved = useRef(0);
  return {
    onPointerDown(event: PointerEvent<HTMLDivElement>) {
      if ((event.target as Element).closest('button, a')) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      if (held.current.size === 0) moved.current = 0;
      held.current.set(event.pointerId, inside(event.currentTarget, event));
    },
    onPointerMove(event: PointerEvent<HTMLDivElement>) {
      const before = held.current.get(event.pointerId);
      if (!before || !engine) return;
      const now = inside(event.currentTarget, event);
      const other = [...held.current].find(([id]) => id !== event.pointerId)?.[1];
      held.current.set(event.pointerId, now);
      moved.current += Math.hypot(now.x - before.x, now.y - before.y);
      if (!other) return engine.pan(before.x - now.x, before.y - now.y);
      const apart = (a: XY) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
      engine.zoomAt({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }, Math.log2(apart(now) / apart(before)));
    },
    onPointerUp(event: PointerEvent<HTMLDivElement>) {
      if (!held.current.delete(event.pointerId)) return;
      if (held.current.size === 0 && moved.current < DRAG_PIXELS && engine && onPick) {
        onPick(engine.fromScreen(inside(event.currentTarget, event)));
      }
    },
    onPointerCancel(event: PointerEvent<HTMLDivElement>) {
      held.current.delete(event.pointerId);
    },
  };
}

const LENGTHS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];

function ScaleBar({ engine, lifted }: { engine: MapEngine; lifted: boolean }) {
  const { language } = useI18n();
  const [perPixel, setPerPixel] = useState(() => metersPerPixel(engine.camera));
  useEffect(() => engine.onCamera(() => setPerPixel(metersPerPixel(engine.camera))), [engine]);
  const meters = LENGTHS.findLast((length) => length / perPixel <= 84) ?? 50;
  const text = new Intl.NumberFormat(language, {
    style: 'unit',
    unit: meters < 1000 ? 'meter' : 'kilometer',
  }).format(meters < 1000 ? meters : meters / 1000);
  return (
    <div
      className={`pointer-events-none absolute left-3 text-[11px] font-medium text-map-label ${lifted ? 'bottom-8 lg:bottom-2' : 'bottom-2'}`}
      aria-hidden="true"
    >
      {text}
      <div className="h-1.5 border-x border-b border-map-label/70" style={{ width: meters / perPixel }} />
    </div>
  );
}
