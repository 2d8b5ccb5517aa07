using System.Text;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;

namespace Galaxy.Core.Tests.State;

public class ConflictPolicyTests
{
    private const int Plenty = int.MaxValue;

    private readonly ReplicatedMap _a = new("a");
    private readonly ReplicatedMap _b = new("b");

    private static string? Value(ReplicatedMap map, string key = "k") =>
        map.Get("ns", key) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    private static void Write(ReplicatedMap map, string? text, ConflictPolicy policy, long wallMs, int priority = 0) =>
        map.Write(
            "ns",
            "k",
            StateWrite.Of(text is null ? null : Encoding.UTF8.GetBytes(text), policy, priority),
            wallMs
        );

    private void Meet()
    {
        foreach (var (to, from) in new[] { (_a, _b), (_b, _a) })
        {
            var (entries, reaches) = from.DeltaFor(to.Summary, Plenty)!.Value;
            to.ApplyDelta(entries, reaches, from.Pruned);
        }
        Assert.Equal(Value(_a), Value(_b));
    }

    [Theory]
    [InlineData(ConflictPolicy.LastWriteWins, "late")]
    [InlineData(ConflictPolicy.FirstWriteWins, "early")]
    [InlineData(ConflictPolicy.HighestPriority, "early")]
    [InlineData(ConflictPolicy.Manual, "late")]
    public void Of_two_concurrent_writes_the_policy_says_which_is_served(ConflictPolicy policy, string served)
    {
        Write(_a, "early", policy, 10, priority: 5);
        Write(_b, "late", policy, 20, priority: 1);

        Meet();

        Assert.Equal(served, Value(_a));
    }

    [Fact]
    public void First_write_wins_is_about_concurrent_writes_only()
    {
        Write(_a, "first", ConflictPolicy.FirstWriteWins, 10);
        Meet();
        Write(_b, "changed", ConflictPolicy.FirstWriteWins, 20);

        Meet();

        Assert.Equal("changed", Value(_a));
    }

    [Fact]
    public void First_write_wins_agrees_when_the_first_write_was_superseded_on_one_side()
    {
        var c = new ReplicatedMap("c");
        Write(_a, "first", ConflictPolicy.FirstWriteWins, 1);
        var first = _a.Get("ns", "k")!;
        c.Apply(first, VersionVector.Empty);
        Write(c, "third", ConflictPolicy.FirstWriteWins, 9);
        Write(_b, "second", ConflictPolicy.FirstWriteWins, 2);
        var (second, third) = (_b.Get("ns", "k")!, c.Get("ns", "k")!);

        foreach (var order in new[] { new[] { second, third }, [third, second] })
        {
            foreach (var entry in order)
                (order[0] == second ? _a : _b).Apply(entry, VersionVector.Empty);
        }

        Assert.Equal("second", Value(_a));
        Assert.Equal("second", Value(_b));
    }

    [Fact]
    public void Manual_keeps_both_siblings_until_somebody_who_saw_them_writes()
    {
        Write(_a, "one", ConflictPolicy.Manual, 10);
        Write(_b, "two", ConflictPolicy.Manual, 20);
        Meet();
        Assert.True(_a.Get("ns", "k")!.IsContested);
        Assert.Equal(
            ["one", "two"],
            _b.Get("ns", "k")!.Versions.Select(version => Encoding.UTF8.GetString(version.Value.Span))
        );

        Write(_a, "one", ConflictPolicy.Manual, 5);
        Meet();

        Assert.False(_b.Get("ns", "k")!.IsContested);
        Assert.Equal("one", Value(_b));
    }

    [Fact]
    public void A_write_and_a_deletion_that_did_not_know_of_each_other_are_settled_like_two_writes()
    {
        Write(_a, "v", ConflictPolicy.LastWriteWins, 1);
        Meet();
        Write(_a, null, ConflictPolicy.LastWriteWins, 10);
        Write(_b, "kept", ConflictPolicy.LastWriteWins, 20);

        Meet();

        Assert.Equal("kept", Value(_a));
    }

    [Fact]
    public void Merge_keeps_both_of_two_fields_that_were_changed_at_once()
    {
        Write(_a, """{"x":1,"y":{"z":1}}""", ConflictPolicy.Merge, 1);
        Meet();
        Write(_a, """{"x":2,"y":{"z":1}}""", ConflictPolicy.Merge, 10);
        Write(_b, """{"x":1,"y":{"z":5},"w":[1]}""", ConflictPolicy.Merge, 11);

        Meet();

        Assert.Equal("""{"w":[1],"x":2,"y":{"z":5}}""", Value(_a));
    }

    [Fact]
    public void Merge_removes_a_field_that_one_side_removed_while_the_other_changed_another()
    {
        Write(_a, """{"x":1,"y":1}""", ConflictPolicy.Merge, 1);
        Meet();
        Write(_a, """{"x":1}""", ConflictPolicy.Merge, 10);
        Write(_b, """{"x":2,"y":1}""", ConflictPolicy.Merge, 11);

        Meet();

        Assert.Equal("""{"x":2}""", Value(_a));
    }

    [Fact]
    public void In_a_merged_set_an_addition_outlives_a_removal_that_did_not_see_it()
    {
        Write(_a, """{"tags":{"$set":["a","b"]}}""", ConflictPolicy.Merge, 1);
        Meet();
        Write(_a, """{"tags":{"$set":["b"]}}""", ConflictPolicy.Merge, 10);
        Write(_b, """{"tags":{"$set":["a","b","c"]}}""", ConflictPolicy.Merge, 11);
        Meet();
        Assert.Equal("""{"tags":{"$set":["b","c"]}}""", Value(_a));

        // Removed and added again at once: the addition stays.
        Write(_a, """{"tags":{"$set":["b"]}}""", ConflictPolicy.Merge, 30);
        Write(_b, """{"tags":{"$set":["b"]}}""", ConflictPolicy.Merge, 20);
        Write(_b, """{"tags":{"$set":["b","c"]}}""", ConflictPolicy.Merge, 21);
        Meet();
        Assert.Equal("""{"tags":{"$set":["b","c"]}}""", Value(_b));
    }

    [Fact]
    public void A_merged_counter_counts_what_everybody_added()
    {
        Write(_a, """{"hits":{"$counter":10}}""", ConflictPolicy.Merge, 1);
        Meet();
        Write(_a, """{"hits":{"$counter":13}}""", ConflictPolicy.Merge, 10);
        Write(_b, """{"hits":{"$counter":8}}""", ConflictPolicy.Merge, 11);

        Meet();

        Assert.Equal("""{"hits":{"$counter":11}}""", Value(_a));
    }

    [Fact]
    public void Writing_the_same_merged_document_again_writes_nothing()
    {
        Write(_a, """{"x":1,"tags":{"$set":["a"]},"n":{"$counter":1}}""", ConflictPolicy.Merge, 1);
        var summary = _a.Summary;

        Write(_a, """{"n":{"$counter":1},"tags":{"$set":["a"]},"x":1}""", ConflictPolicy.Merge, 2);

        Assert.Equal(summary, _a.Summary);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("""{"a":{"$set":5}}""")]
    [InlineData("""{"a":{"$counter":1,"b":2}}""")]
    [InlineData("{")]
    public void What_cannot_be_merged_is_refused_and_changes_nothing(string text)
    {
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => Write(_a, text, ConflictPolicy.Merge, 1));

        Assert.Equal((0, VersionVector.Empty), (_a.Count, _a.Summary));
    }
}
