# Old and rare names: storages by dtype, streams, futures.

# In [storages by dtype]
s = torch.FloatStorage([1, 2, 3])
print(s, s.tolist(), s[1], len(s), s.dtype, torch.IntStorage.dtype, type(s))
print(isinstance(s, torch.FloatStorage), isinstance(s, torch.DoubleStorage), isinstance(s, torch.TypedStorage), torch.is_storage(s), torch.Storage)
print(len(torch.LongStorage(4)), torch.TypedStorage([1, 2], dtype=torch.int32), torch.TypedStorage(4).size(), torch.BoolStorage([True, False]))
t = torch.arange(4.0)
s = t.storage()
print(t.storage_type(), s.type(), s.data_ptr() == t.data_ptr(), s.nbytes(), s.element_size(), s.pickle_storage_type())
print(s.double(), s.int().tolist(), s.bool().tolist(), s.float() is s, s.complex_float().tolist(), s.bfloat16().type())
print(torch.ones(2, dtype=torch.uint16).storage_type(), torch.ones(2, dtype=torch.uint16).storage().type(), torch.ones(1, dtype=torch.bfloat16).storage_type())
s[0] = 9
print(t, torch.tensor([]).set_(torch.FloatStorage([1, 2, 3])), torch.FloatTensor(torch.FloatStorage([1, 2])))
u = torch.UntypedStorage(4)
print(u.nbytes(), u.size(), u.device, torch.UntypedStorage([1, 300]).tolist(), u.is_shared(), u.fill_(1).tolist())
print(torch.FloatStorage(wrap_storage=torch.UntypedStorage(8)).size(), torch.ByteStorage.from_buffer(b"1234").tolist(), torch.FloatStorage in torch._storage_classes)
for wrong in (lambda: torch.FloatStorage(3, 4), lambda: torch.FloatStorage("abc"), lambda: torch.FloatStorage(torch.ones(2)), lambda: torch.FloatStorage(dtype=torch.int)):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, str(error)[:40])

# In [streams and events]
s, e = torch.Stream(), torch.Event("cpu", enable_timing=True)
print(s, e, torch.Event(), s.query(), s.synchronize(), s.wait_event(e), s.device, s.stream_id, s == torch.Stream(device="cpu"), s.is_capturing(), s.device_index, s.device_type)
print(e.query(), e.synchronize(), e.wait(), e.device, e.event_id, torch.Stream("meta"))
with torch.Stream() as inner:
    print(inner)
for wrong in (lambda: s.record_event(), lambda: s.wait_stream(s), lambda: e.record(), lambda: torch.Event().elapsed_time(e),
              lambda: torch.Stream("cuda"), lambda: torch.Event("cuda"), lambda: torch.Stream(3)):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)

# In [futures]
from torch.futures import Future, collect_all, wait_all
f = Future()
f.add_done_callback(lambda g: print("called", g.value()))
g = f.then(lambda x: x.value() * 2)
print(f.done(), g.done())
f.set_result(3)
print(f.wait(), g.wait(), g.done(), g.value(), f.then(lambda x: x.wait()).wait(), wait_all([f, g]), len(collect_all([f, g]).wait()))
h = Future()
h.set_exception(ValueError("bad"))
for wrong in (lambda: f.set_result(4), lambda: h.wait(), lambda: h.value(), lambda: Future().set_exception(3), lambda: wait_all([f, h]),
              lambda: f.then(lambda x: 1 / 0).wait()):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, str(error).split("\n")[0])

# In [names here and there]
print(torch.GradScaler is torch.amp.GradScaler, torch.autograd.is_view_replay_enabled(), F.BroadcastingList2[int], F.assert_int_or_pair([1, 2], "a", "x {}"))
print(torch.autograd.profiler_util.EventList.__name__)
for given in ({"device": "cpu"}, None, {"factory_kwargs": {"dtype": torch.int}, "device": "cpu"}, {"foo": 1},
              {"factory_kwargs": {"device": 1}, "device": "cpu"}, {"factory_kwargs": {"foo": 1}}):
    try:
        print(nn.factory_kwargs(given))
    except TypeError as error:
        print(error)
