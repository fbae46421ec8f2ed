// A GPU runtime's library without a GPU, for tests of opening modules: as libamdhip64 behaves on a machine without one.
extern "C" int RfFakeGetDeviceCount(int* count) {
  *count = 0;
  return 100;
}
