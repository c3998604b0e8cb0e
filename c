 PAUSED  12:40:17  1.43k pkt/s  lost 0  self 5.1%  rx+tx  window 10 s  speed ×1
 Layers                                                               no filter
 1 Layers  2 CPUs  3 IRQs  4 Paths  5 Drops                             1 of 22
 STAGE                      /s    p50    p99     max share  0–19.9ms
 rx delays, from layer to layer
▌ interface→data link      582 1.60µs 10.8µs  33.4µs              ▁▁
  data link→network      – no hook for ip: the kernel has no tracepoint there; …
  network→transport      – no hook for ip: the kernel has no tracepoint there; …
  transport→application  – no hook for local: the kernel has no tracepoint ther…
  application→read         215 47.1µs 19.9ms▲ 20.2ms              █▇
 RX total                  215 63.5µs 19.9ms▲ 20.3ms              █▇
 TX total                  716 2.17µs  111µs• 16.0ms              ▂▁
 rx interrupt                                        0.38%
  raise→softirq            470 1.22µs 6.40µs  29.6µs 0.38%        ▁▁
── interface→data link, distribution ───────────────────────────────────────────
 1.17k samples  p50 1.60µs  p90 4.86µs  p99 10.8µs  p99.9 23.6µs  max 33.4µs
            ▁▅  ▃▅█▆▄    ▄▁
     ▃▁  ▄  ██▂▄█████▇▄▂▆███▇▆▅▄
 ▇▇  ██ ▇██▆████████████████████▇▆▃▅▄▃▅  ▂▂
 ██▇▆██▆███████████████████████████████████▃▄▆▆▆▇▅▅▆▆▅▃▂▁▁▁▂▁▁▁▁      ▁▁    ▁▁▁
 ────────────┬─────────────────────────────────────────┬───────────────────────
             1µs                                       10µs
                     ^p50                 ^p90          ^p99          ^p99.9
 Esc Back  / Filter  ? Help  : Actions  q Quit
