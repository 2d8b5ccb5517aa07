using Galaxy.OneApi.Dialects;

namespace Galaxy.OneApi.Governance;

/// <summary>A request that goes no further.</summary>
internal sealed class RefusedException(ModelError error) : Exception(error.Message)
{
    public ModelError Error => error;
}
