import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react';

/** Where food should go: a city, and a point in it (its middle until the reader says more). */
export interface Place {
  city: string;
  state: string;
  latitude: number;
  longitude: number;
  /** From the device's position rather than the city's middle. */
  exact?: boolean;
}

const KEY = 'tiffin.place';

interface PlaceValue {
  place: Place | null;
  setPlace: (place: Place) => void;
}

const PlaceContext = createContext<PlaceValue | null>(null);

export function PlaceProvider({ children }: { children: ReactNode }) {
  const [place, keep] = useState<Place | null>(() => parse(localStorage.getItem(KEY)));
  const setPlace = useCallback((next: Place) => {
    localStorage.setItem(KEY, JSON.stringify(next));
    keep(next);
  }, []);
  const value = useMemo(() => ({ place, setPlace }), [place, setPlace]);
  return <PlaceContext value={value}>{children}</PlaceContext>;
}

export function usePlace(): PlaceValue {
  const value = use(PlaceContext);
  if (!value) throw new Error('usePlace outside PlaceProvider');
  return value;
}

function parse(text: string | null): Place | null {
  if (!text) return null;
  try {
    const place = JSON.parse(text) as Place;
    return place.city && Number.isFinite(place.latitude) && Number.isFinite(place.longitude) ? place : null;
  } catch {
    return null;
  }
}
