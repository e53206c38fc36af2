import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import { Icon, type IconName } from '@/components/Icon';
import type { Motion } from '@/tracking/motion';
import { useMap } from './MapView';
import type { LngLat } from './mercator';

/** Something standing on the map at a place; its bottom middle (pin) or its middle (dot) touches it. */
export function Marker({ at, anchor = 'pin', children }: { at: LngLat; anchor?: 'pin' | 'dot'; children: ReactNode }) {
  const engine = useMap();
  const element = useRef<HTMLDivElement>(null);
  const { lng, lat } = at;
  useLayoutEffect(() => {
    const place = () => {
      if (element.current) put(element.current, engine.toScreen({ lng, lat }));
    };
    place();
    return engine.onCamera(place);
  }, [engine, lng, lat]);
  return (
    <div ref={element} className="absolute top-0 left-0 size-0 will-change-transform">
      <div className={`absolute -translate-x-1/2 ${anchor === 'pin' ? '-translate-y-full' : '-translate-y-1/2'}`}>
        {children}
      </div>
    </div>
  );
}

const TONES = {
  kitchen: 'bg-brand text-on-brand',
  home: 'bg-ink text-canvas',
  plain: 'bg-sky text-on-sky',
} as const;

export function Pin({ icon, label, tone }: { icon: IconName; label: string; tone: keyof typeof TONES }) {
  return (
    <div role="img" aria-label={label} title={label} className="flex flex-col items-center drop-shadow-md">
      <span className={`grid size-9 place-items-center rounded-full border-2 border-white ${TONES[tone]}`}>
        <Icon name={icon} className="size-[18px]" />
      </span>
      <span className="-mt-1 size-2.5 rotate-45 rounded-[2px] bg-white" />
    </div>
  );
}

/**
 * The rider: moved every frame by its motion, outside React, because sixty renders a second of a
 * page would be felt on a phone. `onMove` lets lines follow.
 */
export function MovingMarker({
  motion,
  tick,
  label,
  stale,
  onMove,
}: {
  motion: Motion;
  /** Changes with every fix: starts the next glide. */
  tick: number;
  label: string;
  /** The link is down: shown where last seen, greyed. */
  stale: boolean;
  onMove?: (at: LngLat) => void;
}) {
  const engine = useMap();
  const element = useRef<HTMLDivElement>(null);
  const arrow = useRef<HTMLSpanElement>(null);
  const moved = useRef(onMove);
  moved.current = onMove;

  // biome-ignore lint/correctness/useExhaustiveDependencies: tick starts the next glide
  useEffect(() => {
    let frame = 0;
    const place = () => {
      const pose = motion.pose(performance.now());
      if (!pose || !element.current) return;
      put(element.current, engine.toScreen({ lng: pose.longitude, lat: pose.latitude }));
      if (arrow.current) {
        arrow.current.style.opacity = pose.heading === null ? '0' : '1';
        arrow.current.style.transform = `rotate(${pose.heading ?? 0}deg)`;
      }
      moved.current?.({ lng: pose.longitude, lat: pose.latitude });
    };
    const glide = () => {
      place();
      if (!motion.settled(performance.now())) frame = requestAnimationFrame(glide);
    };
    glide();
    const stop = engine.onCamera(place);
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [engine, motion, tick]);

  return (
    <div ref={element} data-testid="rider-marker" className="absolute top-0 left-0 z-10 size-0 will-change-transform">
      <div
        role="img"
        aria-label={label}
        title={label}
        className={`absolute -translate-1/2 ${stale ? 'grayscale' : ''}`}
      >
        {!stale && <span className="absolute inset-0 rounded-full bg-leaf/40 motion-safe:animate-ping" />}
        <span ref={arrow} className="absolute -inset-2.5 transition-opacity">
          <span className="mx-auto block size-0 border-x-[7px] border-b-[9px] border-x-transparent border-b-leaf" />
        </span>
        <span className="relative grid size-11 place-items-center rounded-full border-[3px] border-white bg-leaf text-on-leaf shadow-lg">
          <Icon name="scooter" className="size-6" />
        </span>
      </div>
    </div>
  );
}

function put(element: HTMLElement, { x, y }: { x: number; y: number }): void {
  element.style.transform = `translate3d(${x}px, ${y}px, 0)`;
}
