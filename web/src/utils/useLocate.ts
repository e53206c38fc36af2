import { useCallback, useState } from 'react';

const TIMEOUT_MS = 10_000;

/** The device's position, asked for once and only when the reader presses something that says so. */
export function useLocate() {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const locate = useCallback(async () => {
    setBusy(true);
    setFailed(false);
    try {
      const { coords } = await new Promise<GeolocationPosition>((resolve, reject) => {
        // Absent in pages served over plain http from another machine.
        if (!navigator.geolocation) reject(new Error('no geolocation'));
        navigator.geolocation.getCurrentPosition(resolve, reject, { timeout: TIMEOUT_MS, maximumAge: 60_000 });
      });
      return { latitude: coords.latitude, longitude: coords.longitude };
    } catch {
      setFailed(true);
      return null;
    } finally {
      setBusy(false);
    }
  }, []);
  return { locate, busy, failed };
}
