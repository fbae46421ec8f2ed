// How fast this machine reads its memory.
#pragma once

namespace rf::app {

/// Bytes per second at which `n_threads` threads read a buffer that is larger than the caches, the best of a few
/// passes. Takes a fraction of a second. 0: there is no memory for the buffer.
double MeasureReadBandwidth(int n_threads);

}  // namespace rf::app
