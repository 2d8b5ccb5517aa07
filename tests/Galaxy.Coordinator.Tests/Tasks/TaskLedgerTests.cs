using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Tests.Tasks;

public class TaskLedgerTests
{
    private readonly TaskLedger _ledger = new();

    [Fact]
    public void Each_turn_that_brings_tasks_has_a_page_and_others_have_none()
    {
        Assert.Equal((1L, "a b"), Page(_ledger.Turn(["a", "b"], [])));
        Assert.Null(_ledger.Turn([], ["a"]));
        Assert.Equal((2L, "c"), Page(_ledger.Turn(["c"], [])));
        Assert.Equal(new LedgerIndex(1, 2, 1, 3), _ledger.Index);
    }

    [Fact]
    public void A_new_leader_reads_from_the_first_page_with_an_open_task()
    {
        _ledger.Turn(["a"], []);
        _ledger.Turn(["b"], []);
        _ledger.Turn(["c"], ["a"]);
        Assert.Equal(2, _ledger.Index.Low);
        _ledger.Turn([], ["b", "c"]);
        Assert.Equal(4, _ledger.Index.Low);
    }

    [Fact]
    public void A_task_that_is_new_and_over_at_once_holds_nothing_back()
    {
        _ledger.Turn(["a"], []);
        _ledger.Close(["a"]);

        Assert.Equal(new LedgerIndex(1, 1, 2, 1), _ledger.Index);
    }

    [Fact]
    public void What_stays_open_for_long_is_listed_again()
    {
        _ledger.Turn(["old"], []);
        for (var i = 0; i < TaskLedger.LongestRead; i++)
            Assert.DoesNotContain("old", _ledger.Turn([$"t{i}"], i > 0 ? [$"t{i - 1}"] : [])!.Value.TaskIds);

        Assert.Contains("old", _ledger.Turn(["next"], [])!.Value.TaskIds);
        for (var i = 0; i < 10_000; i++)
        {
            _ledger.Turn([$"u{i}"], i > 0 ? [$"u{i - 1}"] : []);
            Assert.InRange(_ledger.Index.Last - _ledger.Index.Low, 0, TaskLedger.LongestRead);
        }
    }

    [Fact]
    public void It_goes_on_where_the_store_says()
    {
        _ledger.Begin(new LedgerIndex(5, 9, 7, 40), [(7, "a"), (9, "b")]);

        Assert.Equal((10L, "c"), Page(_ledger.Turn(["c"], ["a"])));
        Assert.Equal(new LedgerIndex(5, 10, 9, 41), _ledger.Index);
        _ledger.Drop(3);
        Assert.Equal(new LedgerIndex(6, 10, 9, 38), _ledger.Index);
    }

    private static (long, string) Page((long Page, IReadOnlyList<string> TaskIds)? page) =>
        (page!.Value.Page, string.Join(' ', page.Value.TaskIds));

    [Theory]
    [InlineData("", false)]
    [InlineData("null", false)]
    [InlineData("[]", false)]
    [InlineData("{\"first\":0,\"last\":0,\"low\":1,\"listed\":0}", false)]
    [InlineData("{\"first\":1,\"last\":9000000000000000000,\"low\":1,\"listed\":5}", false)]
    [InlineData("{\"first\":5,\"last\":3,\"low\":5,\"listed\":5}", false)]
    [InlineData("{\"first\":1,\"last\":3,\"low\":5,\"listed\":5}", false)]
    [InlineData("{\"first\":1,\"last\":3,\"low\":4,\"listed\":3}", true)]
    [InlineData("{\"first\":1,\"last\":0,\"low\":1,\"listed\":0}", true)]
    public void An_index_that_cannot_be_true_is_none(string json, bool isTaken) =>
        Assert.Equal(isTaken, LedgerIndex.TryRead(json) is not null);
}
