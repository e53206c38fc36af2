let context: AudioContext | null = null;

/** Two soft tones, synthesized: no file to load. Browsers stay silent until the reader has pressed something. */
export function chime(): void {
  // Before the first press a browser would only complain.
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  try {
    context ??= new AudioContext();
    const start = context.currentTime;
    tone(context, 660, start);
    tone(context, 880, start + 0.18);
  } catch {
    // No sound device: the page shows the news as well.
  }
}

function tone(audio: AudioContext, hertz: number, at: number): void {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.2, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.55);
}
