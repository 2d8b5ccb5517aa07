using Galaxy.Core.Discovery;

namespace Galaxy.Core.Tests.Discovery;

public class AskersTests
{
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(100);
    private readonly Askers _askers = new();

    private bool Informed(string node, double at) => _askers.IsInformed(node, Life, TimeSpan.FromSeconds(at));

    [Fact]
    public void Who_announces_itself_is_answered_once_in_a_while()
    {
        Assert.False(Informed("a", 0));
        for (var at = 10; at < 100; at += 10)
            Assert.True(Informed("a", at));
        Assert.False(Informed("a", 101));
        Assert.False(Informed("b", 101));
    }

    [Fact]
    public void Who_looks_for_others_is_always_answered()
    {
        // A node that starts anew under a name that is known asks three times within two seconds.
        Assert.False(Informed("a", 0));
        Assert.True(Informed("a", 10));
        Assert.False(Informed("a", 11));
        Assert.False(Informed("a", 12));
        Assert.True(Informed("a", 22));
    }

    [Fact]
    public void Among_few_everybody_is_answered()
    {
        for (var at = 0; at < 100; at += 10)
            Assert.False(_askers.IsInformed("a", TimeSpan.Zero, TimeSpan.FromSeconds(at)));
    }

    [Fact]
    public void Names_do_not_pile_up()
    {
        for (var i = 0; i < Askers.Most * 3; i++)
            Assert.False(Informed($"n{i}", 0));
        Assert.False(Informed("n0", 10));
        Assert.True(Informed($"n{(Askers.Most * 3) - 1}", 10));
    }
}
